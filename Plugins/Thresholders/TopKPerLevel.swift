import DetectionCore

/// No score is too low: the k best candidates of each pyramid level pass, as region proposals do in Faster R-CNN with FPN
/// (Lin et al. 2017, section 4.2; 1000 a level at inference).
public struct TopKPerLevel: Thresholder {
  public static let name = "top-k"
  public static let summary = "the best candidates of each level, whatever they score"
  public static let source = "Lin et al. 2017, arXiv 1612.03144, section 4.2"
  public static let parameters = [
    ParameterDescription("k", default: "1000", "candidates (anchor and class) a level, 1...1000000")
  ]

  public let k: Int
  public var candidatesPerLevel: Int? { k }

  public init(k: Int = 1000) { self.k = k }

  public init(parameters: inout ParameterReader) throws {
    k = try parameters.int("k", default: 1000, in: 1...1_000_000)
  }

  public func thresholds(for statistics: TrainingStatistics) -> [Float] {
    Array(repeating: 0, count: statistics.classCount)
  }
}
