import DetectionCore

/// The threshold of highest F1 = 2·TP / (2·TP + FP + FN) in each class, found on the validation images after training (van
/// Rijsbergen 1979, chapter 7, with precision and recall weighed the same).
///
/// Made for whoever wants one set of boxes rather than a ranking: COCO's AP, an integral over recalls, gets lower. As the
/// thresholds are found on the validation split, its F1 flatters them. A class of which no object was found there keeps its
/// class-adaptive threshold N_j / N.
public struct CalibratedThreshold: CalibratingThresholder {
  public static let name = "calibrated"
  public static let summary = "the highest F1 of each class on the validation images"
  public static let source = "van Rijsbergen 1979, Information Retrieval, chapter 7"

  public init() {}
  public init(parameters: inout ParameterReader) throws {}

  /// - Throws: `StrategyError` where the weights were not calibrated.
  public func thresholds(for statistics: TrainingStatistics) throws -> [Float] {
    guard let thresholds = statistics.calibratedThresholds else {
      throw StrategyError("thresholder \"calibrated\": these weights hold no calibrated thresholds; train with thresholder: calibrated")
    }
    return thresholds
  }

  /// - Throws: `StrategyError` where the statistics hold no anchors.
  public func calibrate(_ matches: DetectionMatches, statistics: TrainingStatistics) throws -> [Float] {
    let fallback = try ClassAdaptiveThreshold().thresholds(for: statistics)
    return matches.found.indices.map { classIndex in
      Self.threshold(matches.found[classIndex], objects: matches.objectCounts[classIndex])?.score ?? fallback[classIndex]
    }
  }

  /// The score above which F1 is highest, half way between the last detection that passes and the first that does not, and
  /// that F1; of several the highest score. Nil where no object was found.
  public static func threshold(_ found: [DetectionMatches.Found], objects: Int) -> (score: Float, f1: Double)? {
    let sorted = found.sorted { $0.score > $1.score }
    var correct = 0
    var best: (score: Float, f1: Double)?
    for (index, detection) in sorted.enumerated() {
      if detection.isCorrect { correct += 1 }
      let next = index + 1 < sorted.count ? sorted[index + 1].score : 0
      // Equal scores pass together or not at all.
      guard next < detection.score, correct > 0 else { continue }
      // F1 = 2·TP / (detections + objects).
      let f1 = 2 * Double(correct) / Double(index + 1 + objects)
      if f1 > best?.f1 ?? 0 { best = (next + (detection.score - next) / 2, f1) }
    }
    return best
  }
}
