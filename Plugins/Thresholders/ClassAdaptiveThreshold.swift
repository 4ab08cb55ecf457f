import DetectionCore

/// theta_j = (N_f / N)·(N_j / sum_k N_k): a class' share of all training samples (arXiv 1909.04868, section 4.4).
///
/// As sum_k N_k = N_f, this is N_j / N. A class without training samples gets threshold 0: it keeps whatever it scores.
public struct ClassAdaptiveThreshold: Thresholder {
  public static let name = "class-adaptive"
  public static let summary = "each class' share of the training anchors"
  public static let source = "Chen et al., arXiv 1909.04868, section 4.4"

  public init() {}
  public init(parameters: inout ParameterReader) throws {}

  /// - Throws: `StrategyError` where the statistics are empty.
  public func thresholds(for statistics: TrainingStatistics) throws -> [Float] {
    guard statistics.anchorCount > 0, statistics.foregroundCount > 0 else {
      throw StrategyError("class-adaptive thresholds: the training statistics hold no foreground anchors")
    }
    let share = Double(statistics.foregroundCount) / Double(statistics.anchorCount)
    return statistics.foregroundCounts.map {
      Float(share * Double($0) / Double(statistics.foregroundCount))
    }
  }
}
