import DetectionCore

/// N_f / N for all classes: the prior times the number of classes, as the authors of Sampling-Free code it, where their paper
/// has one threshold a class.
public struct ScalarThreshold: Thresholder {
  public static let name = "scalar"
  public static let summary = "the share of foreground among the training anchors, the same for all classes"
  public static let source = "Chen et al., the code of arXiv 1909.04868 (ChenJoya/sampling-free)"

  public init() {}
  public init(parameters: inout ParameterReader) throws {}

  /// - Throws: `StrategyError` where the statistics are empty.
  public func thresholds(for statistics: TrainingStatistics) throws -> [Float] {
    guard statistics.anchorCount > 0, statistics.foregroundCount > 0 else {
      throw StrategyError("scalar threshold: the training statistics hold no foreground anchors")
    }
    let share = Double(statistics.foregroundCount) / Double(statistics.anchorCount)
    return Array(repeating: Float(share), count: statistics.classCount)
  }
}
