import DetectionCore

/// The same threshold for every class, whatever the training samples: 0.05 in RetinaNet (arXiv 1708.02002, section 4.1).
public struct FixedThreshold: Thresholder {
  public static let name = "fixed"
  public static let summary = "one score for all classes"
  public static let source = "Lin et al. 2017, arXiv 1708.02002, section 4.1"
  public static let parameters = [ParameterDescription("score", default: "0.05", "probability, 0...1")]

  public let score: Float

  public init(score: Float = 0.05) { self.score = score }

  public init(parameters: inout ParameterReader) throws {
    score = try parameters.float("score", default: 0.05, in: 0...1)
  }

  public func thresholds(for statistics: TrainingStatistics) -> [Float] {
    Array(repeating: score, count: statistics.classCount)
  }
}
