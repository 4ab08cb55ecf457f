import DetectionCore

/// Varifocal Loss: a foreground anchor's own class has the IoU q of its predicted box as target and as weight; all other
/// elements weigh alpha·p^gamma, the gradient flowing through that weight.
///
/// Zhang et al., "VarifocalNet", 2021, equation 2: VFL(p, q) = -q·(q·log(p) + (1 - q)·log(1 - p)) for q > 0, else
/// -alpha·p^gamma·log(1 - p). q is a number, at least 1e-6 as in the authors' code. The sum is divided by the foreground
/// anchors.
public struct VarifocalLoss: Sampler {
  public static let name = "varifocal"
  public static let summary = "foreground weighs its predicted box's IoU, background as in Focal Loss"
  public static let source = "Zhang et al. 2021, arXiv 2008.13367, equation 2; mmdetection's VarifocalLoss"
  public static let parameters = [
    ParameterDescription("alpha", default: "0.75", "weight of targets 0, 0...10"),
    ParameterDescription("gamma", default: "2", "focusing exponent of targets 0, 0...10"),
  ]

  public let alpha: Float
  public let gamma: Float

  public init(alpha: Float = 0.75, gamma: Float = 2) {
    self.alpha = alpha
    self.gamma = gamma
  }

  public init(parameters: inout ParameterReader) throws {
    alpha = try parameters.float("alpha", default: 0.75, in: 0...10)
    gamma = try parameters.float("gamma", default: 2, in: 0...10)
  }

  /// - Throws: `StrategyError` where the predicted boxes are not known or not finite.
  public func weighting(for batch: ClassificationBatch, step: Int) throws -> Weighting {
    let targets = try batch.qualities().map { max($0, 1e-6) }
    return Weighting(
      law: .focal(gamma: gamma, otherAlpha: alpha), softTargets: SoftTargets(values: targets, weights: targets),
      normalizer: Double(batch.foregroundCount))
  }
}
