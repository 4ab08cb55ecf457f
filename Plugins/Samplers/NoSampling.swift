import DetectionCore

/// No sampling: every anchor that is not ignored weighs 1, in every class.
///
/// The sum is divided by positives + images, as the authors of Sampling-Free do (arXiv 1909.04868 and its code), so that
/// a mini-batch without objects has a defined loss.
public struct NoSampling: Sampler {
  public static let name = "none"
  public static let summary = "every anchor counts, unweighted"
  public static let source = "Chen et al., arXiv 1909.04868, section 4.1"

  public init() {}
  public init(parameters: inout ParameterReader) throws {}

  public func weighting(for batch: ClassificationBatch, step: Int) -> Weighting {
    Weighting(normalizer: Double(batch.foregroundCount + batch.imageCount))
  }
}
