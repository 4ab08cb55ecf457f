import DetectionCore

/// The same w in every step: a heuristic that has to be tuned for each detector and data set.
///
/// As w does not depend on the losses, mini-batches without foreground are nothing special.
public struct ConstantScale: LossScaler {
  public static let name = "constant"
  public static let summary = "a fixed w"
  public static let source = "the usual weighted sum of losses: Ren et al. 2015, arXiv 1506.01497, equation 1 (lambda)"
  public static let parameters = [
    ParameterDescription("w", default: "1", "factor of the classification loss, 0...1e6")
  ]

  public let w: Float

  public init(w: Float = 1) { self.w = w }

  public init(parameters: inout ParameterReader) throws {
    w = try parameters.float("w", default: 1, in: 0...1e6)
  }

  public func scales(classification: Float, regression: Float) -> LossScales { LossScales(classification: w) }
}
