import DetectionCore

/// Guided loss scaling for the first steps, then the last w for good.
///
/// The ratio part of `GuidedLoss` in the authors' code of 2021, without its learned sigmas (see `LearnedGuidedScaling`).
public struct FrozenGuidedScaling: LossScaler, CheckpointedStrategy {
  public static let name = "guided-frozen"
  public static let summary = "w = L_reg / L_cls for the first `steps` mini-batches, then the last of these"
  public static let source = "the ratio in github.com/ChenJoya/objnessdet, functions/guided_loss.py (GuidedLoss)"
  public static let parameters = [
    ParameterDescription("steps", default: "100", "mini-batches before w is frozen, 1...1e9")
  ]

  public let steps: Int
  private var done = 0
  private var guided = GuidedLossScaling()

  public init(steps: Int = 100) { self.steps = steps }

  public init(parameters: inout ParameterReader) throws {
    steps = try parameters.int("steps", default: 100, in: 1...1_000_000_000)
  }

  /// - Throws: `StrategyError` where a loss is negative or not finite.
  public mutating func scales(classification: Float, regression: Float) throws -> LossScales {
    // Frozen, the guide sees what keeps its last w.
    guard done < steps else { return try guided.scales(classification: 0, regression: 0) }
    done += 1
    return try guided.scales(classification: classification, regression: regression)
  }

  public var state: [String: [Double]] {
    get { guided.state.merging(["done": [Double(done)]]) { $1 } }
    set {
      guided.state = newValue
      if let value = newValue["done"]?.first, value >= 0, value < 1e15 { done = Int(value) }
    }
  }
}
