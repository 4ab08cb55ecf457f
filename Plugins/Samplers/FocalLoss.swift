import DetectionCore

/// Focal Loss: -alpha_t·(1 - p_t)^gamma·log(p_t), the gradient flowing through the weight too.
///
/// Lin et al., "Focal Loss for Dense Object Detection", 2017, equation 5; the sum is divided by the positives (section
/// 4.1), by 1 where there are none.
public struct FocalLoss: Sampler {
  public static let name = "focal"
  public static let summary = "down-weights what is classified well already"
  public static let source = "Lin et al. 2017, arXiv 1708.02002, equation 5"
  public static let parameters = [
    ParameterDescription("gamma", default: "2", "focusing exponent, 0...10; 0 is cross entropy weighed by alpha"),
    ParameterDescription("alpha", default: "0.25", "weight of targets 1, 0...1; targets 0 weigh 1 - alpha"),
  ]

  public let gamma: Float
  public let alpha: Float

  public init(gamma: Float = 2, alpha: Float = 0.25) {
    self.gamma = gamma
    self.alpha = alpha
  }

  public init(parameters: inout ParameterReader) throws {
    gamma = try parameters.float("gamma", default: 2, in: 0...10)
    alpha = try parameters.float("alpha", default: 0.25, in: 0...1)
  }

  public func weighting(for batch: ClassificationBatch, step: Int) -> Weighting {
    Weighting(
      law: .focal(gamma: gamma, targetAlpha: alpha, otherAlpha: 1 - alpha), normalizer: Double(batch.foregroundCount))
  }
}
