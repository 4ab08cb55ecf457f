import DetectionCore

/// Quality Focal Loss: the target of a foreground anchor's own class is the IoU q of its predicted box, and elements
/// weigh |q - p|^beta (|p|^beta where the target is 0), the gradient flowing through the weight.
///
/// Li et al., "Generalized Focal Loss", 2020, equation 2: QFL(p) = -|q - p|^beta·((1 - q)·log(1 - p) + q·log(p)). q is a
/// number, through which no gradient flows. The sum is divided by the foreground anchors.
public struct QualityFocalLoss: Sampler {
  public static let name = "quality-focal"
  public static let summary = "Focal Loss towards the IoU of the predicted box"
  public static let source = "Li et al. 2020, arXiv 2006.04388, equation 2; mmdetection's QualityFocalLoss"
  public static let parameters = [
    ParameterDescription("beta", default: "2", "focusing exponent, 0...10")
  ]

  public let beta: Float

  public init(beta: Float = 2) { self.beta = beta }

  public init(parameters: inout ParameterReader) throws {
    beta = try parameters.float("beta", default: 2, in: 0...10)
  }

  /// - Throws: `StrategyError` where the predicted boxes are not known or not finite.
  public func weighting(for batch: ClassificationBatch, step: Int) throws -> Weighting {
    Weighting(
      law: .focal(gamma: beta), softTargets: SoftTargets(values: try batch.qualities()),
      normalizer: Double(batch.foregroundCount))
  }
}
