import DetectionCore

/// Guided loss scaling: w = L_reg / L_cls of the current mini-batch, so that the classification loss has the regression
/// loss' size while the direction of its gradient stays (arXiv 1909.04868, section 4.2).
///
/// A mini-batch without foreground has L_reg = 0, and w = 0 would throw its background away; where either loss is 0 the
/// last w stays in force, 1 before there is any.
public struct GuidedLossScaling: LossScaler, CheckpointedStrategy {
  public static let name = "guided"
  public static let summary = "w = L_reg / L_cls of the mini-batch, no gradient through w"
  public static let source = "Chen et al., arXiv 1909.04868, section 4.2"

  private var last: Float = 1

  public init() {}
  public init(parameters: inout ParameterReader) throws {}

  /// - Throws: `StrategyError` where a loss is negative or not finite.
  public mutating func scales(classification: Float, regression: Float) throws -> LossScales {
    guard classification.isFinite, regression.isFinite, classification >= 0, regression >= 0 else {
      throw StrategyError("guided loss scaling: losses \(classification) and \(regression) must be finite and not negative")
    }
    let ratio = regression / classification
    if regression > 0, classification > 0, ratio.isFinite, ratio > 0 { last = ratio }
    return LossScales(classification: last)
  }

  public var state: [String: [Double]] {
    get { ["last": [Double(last)]] }
    set { if let value = newValue["last"]?.first { last = Float(value) } }
  }
}
