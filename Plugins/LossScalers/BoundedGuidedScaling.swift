import DetectionCore

/// Guided loss scaling with a largest w.
///
/// As a network learns a small training set by heart, its classification loss vanishes before its regression loss does,
/// and w = L_reg / L_cls grows without bound. The bound is this package's, not the paper's, and a number to choose.
public struct BoundedGuidedScaling: LossScaler, CheckpointedStrategy {
  public static let name = "guided-bounded"
  public static let summary = "w = L_reg / L_cls of the mini-batch, at most `maximum`"
  public static let source = "Chen et al., arXiv 1909.04868, section 4.2; the bound is this package's"
  public static let parameters = [
    ParameterDescription("maximum", default: "1", "the largest w, 1e-6...1e6")
  ]

  public let maximum: Float
  private var guided = GuidedLossScaling()

  public init(maximum: Float = 1) { self.maximum = maximum }

  public init(parameters: inout ParameterReader) throws {
    maximum = try parameters.float("maximum", default: 1, in: 1e-6...1e6)
  }

  /// - Throws: `StrategyError` where a loss is negative or not finite.
  public mutating func scales(classification: Float, regression: Float) throws -> LossScales {
    var scales = try guided.scales(classification: classification, regression: regression)
    scales.classification = min(scales.classification, maximum)
    return scales
  }

  public var state: [String: [Double]] {
    get { guided.state }
    set { guided.state = newValue }
  }
}
