import DetectionCore
import Foundation

/// Class-balanced loss: a foreground anchor of class j weighs the inverse of its class' effective number of samples,
/// (1 - beta) / (1 - beta^n_j), in all classes' terms; background weighs 1.
///
/// Cui et al., "Class-Balanced Loss Based on Effective Number of Samples", 2019, equations 6 and 7 (beta 0.9999 of 0.9,
/// 0.99, 0.999, 0.9999): n_j counts the training set's objects of class j; weights are scaled to a mean of 1 over the
/// classes that have any. gamma > 0 puts Focal Loss in place of cross entropy (equation 12). The sum is divided by
/// foreground + images with cross entropy, by the foreground with Focal Loss.
public struct ClassBalancedLoss: Sampler {
  public static let name = "class-balanced"
  public static let summary = "foreground weighs the inverse of its class' effective number of objects"
  public static let source = "Cui et al. 2019, arXiv 1901.05555, equations 6, 7 and 12"
  public static let parameters = [
    ParameterDescription("beta", default: "0.9999", "share of a further sample that is new, 0...0.9999999; 0: no weighing"),
    ParameterDescription("gamma", default: "0", "focusing exponent, 0...10; 0 is cross entropy"),
  ]

  public let beta: Float
  public let gamma: Float

  public init(beta: Float = 0.9999, gamma: Float = 0) {
    self.beta = beta
    self.gamma = gamma
  }

  public init(parameters: inout ParameterReader) throws {
    beta = try parameters.float("beta", default: 0.9999, in: 0...0.9999999)
    gamma = try parameters.float("gamma", default: 0, in: 0...10)
  }

  /// [classes]: mean 1 over classes with objects; 1 for those without.
  public func classWeights(for statistics: TrainingStatistics) -> [Float] {
    let inverses = statistics.objectCounts.map { count in
      count > 0 ? (1 - Double(beta)) / (1 - pow(Double(beta), Double(count))) : 0
    }
    let known = inverses.count { $0 > 0 }
    let scale = Double(known) / inverses.reduce(0, +)
    return inverses.map { $0 > 0 ? Float($0 * scale) : 1 }
  }

  /// - Throws: `StrategyError` where the training set's objects were not counted.
  public func weighting(for batch: ClassificationBatch, step: Int) throws -> Weighting {
    guard let statistics = batch.statistics, statistics.objectCounts.contains(where: { $0 > 0 }) else {
      throw StrategyError("sampler \"\(Self.name)\" needs the training set's objects counted")
    }
    let classWeights = classWeights(for: statistics)
    return Weighting(
      law: gamma > 0 ? .focal(gamma: gamma) : .constant,
      anchorWeights: batch.labels.map { $0 > 0 ? classWeights[Int($0) - 1] : 1 },
      normalizer: Double(gamma > 0 ? batch.foregroundCount : batch.foregroundCount + batch.imageCount))
  }
}
