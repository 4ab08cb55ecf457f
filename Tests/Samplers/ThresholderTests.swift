import DetectionCore
import Testing
import Thresholders

@Suite struct FixedThresholdTests {
  @Test func allClassesHaveTheScore() throws {
    #expect(FixedThreshold().thresholds(for: cocoStatistics) == Array(repeating: 0.05, count: 80))
    let statistics = TrainingStatistics(anchorCount: 0, foregroundCounts: [0, 0], imageCount: 0)
    #expect(FixedThreshold(score: 0.3).thresholds(for: statistics) == [0.3, 0.3], "statistics do not matter")
  }

  @Test func theScoreComesFromTheConfiguration() throws {
    var registry = StrategyRegistry()
    registerThresholders(in: &registry)
    let fixed = try registry.makeThresholder(StrategyReference("fixed", parameters: ["score": .double(0.2)]))
    #expect(try fixed.thresholds(for: cocoStatistics)[0] == 0.2)
    #expect(throws: StrategyError.self) {
      try registry.makeThresholder(StrategyReference("fixed", parameters: ["score": .double(1.5)]))
    }
    #expect(try registry.makeThresholder(StrategyReference("class-adaptive")) is ClassAdaptiveThreshold)
  }
}

@Suite struct ClassAdaptiveThresholdTests {
  /// theta_j = (N_f / N)·(N_j / sum_k N_k).
  @Test func eachClassHasItsShare() throws {
    let statistics = TrainingStatistics(anchorCount: 10_000, foregroundCounts: [60, 30, 10, 0], imageCount: 9)
    let thresholds = try ClassAdaptiveThreshold().thresholds(for: statistics)
    for (found, expected) in zip(thresholds, [0.006, 0.003, 0.001, 0] as [Float]) { #expect(abs(found - expected) < 1e-9) }
    #expect(abs(thresholds.reduce(0, +) - 100.0 / 10_000) < 1e-7, "together N_f / N")
  }

  @Test func equalClassesOfCOCOHaveTheInitialProbability() throws {
    let thresholds = try ClassAdaptiveThreshold().thresholds(for: cocoStatistics)
    #expect(thresholds.allSatisfy { abs($0 - 1.25e-5) < 1e-11 })
  }

  @Test func emptyStatisticsAreAnError() {
    for counts in [(0, [0, 0]), (100, [0, 0])] {
      #expect(throws: StrategyError.self) {
        try ClassAdaptiveThreshold().thresholds(
          for: TrainingStatistics(anchorCount: counts.0, foregroundCounts: counts.1, imageCount: 1))
      }
    }
  }
}
