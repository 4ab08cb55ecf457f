import DetectionCore

/// Equalization loss: foreground anchors of other classes do not discourage rare ones.
///
/// Tan et al., "Equalization Loss for Long-Tailed Object Recognition", 2020, equation 3: an element weighs
/// 1 - E(r)·T(f_j)·(1 - y_j), with E = 1 for foreground anchors, T = 1 for classes rarer than lambda, y_j the target:
/// a foreground anchor's terms of rare classes other than its own weigh 0, all else 1. f_j is the share of training
/// images that show class j, as in the authors' code. The sum is divided by foreground + images, as without sampling.
public struct EqualizationLoss: Sampler {
  public static let name = "equalization"
  public static let summary = "foreground of other classes does not discourage rare classes"
  public static let source = "Tan et al. 2020, arXiv 2003.05176, equation 3"
  public static let parameters = [
    ParameterDescription("lambda", default: "0.00176", "share of images under which a class is rare, 0...1")
  ]

  public let lambda: Float

  public init(lambda: Float = 0.00176) { self.lambda = lambda }

  public init(parameters: inout ParameterReader) throws {
    lambda = try parameters.float("lambda", default: 0.00176, in: 0...1)
  }

  /// - Throws: `StrategyError` where the training set's images were not counted.
  public func weighting(for batch: ClassificationBatch, step: Int) throws -> Weighting {
    guard let statistics = batch.statistics, statistics.imageCount > 0 else {
      throw StrategyError("sampler \"\(Self.name)\" needs the training set's images counted")
    }
    let images = Float(statistics.imageCount)
    return Weighting(
      otherClassWeights: statistics.imageCounts.map { Float($0) / images < lambda ? 0 : 1 },
      normalizer: Double(batch.foregroundCount + batch.imageCount))
  }
}
