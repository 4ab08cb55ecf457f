import DetectionCore
import TestSupport
import Testing
import Thresholders

@Suite struct CalibratedThresholdTests {
  typealias Found = DetectionMatches.Found

  /// F1 of what scores above a threshold, as the definition says it.
  static func f1(_ found: [Found], objects: Int, above threshold: Float) -> Double {
    let passing = found.filter { $0.score > threshold }
    let correct = passing.count { $0.isCorrect }
    return correct == 0 ? 0 : 2 * Double(correct) / Double(2 * correct + (passing.count - correct) + (objects - correct))
  }

  @Test func noThresholdHasAHigherF1() throws {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<200 {
      // Few different scores, so that many are equal.
      let found = (0..<(1 + generator.index(below: 30))).map { _ in
        Found(score: Float(1 + generator.index(below: 12)) / 16, isCorrect: generator.uniform() < 0.4)
      }
      let objects = found.count { $0.isCorrect } + generator.index(below: 5)
      guard let best = CalibratedThreshold.threshold(found, objects: objects) else {
        #expect(!found.contains { $0.isCorrect })
        continue
      }
      #expect(abs(Self.f1(found, objects: objects, above: best.score) - best.f1) < 1e-12)
      for step in 0...64 { #expect(Self.f1(found, objects: objects, above: Float(step) / 64) <= best.f1 + 1e-12) }
    }
  }

  @Test func aClassThatWasNotFoundKeepsItsShare() throws {
    let statistics = TrainingStatistics(anchorCount: 1000, foregroundCounts: [30, 10, 5], imageCount: 9)
    let matches = DetectionMatches(
      found: [[Found(score: 0.9, isCorrect: true), Found(score: 0.4, isCorrect: false)], [Found(score: 0.5, isCorrect: false)], []],
      objectCounts: [1, 2, 0])
    let thresholds = try CalibratedThreshold().calibrate(matches, statistics: statistics)
    for (found, expected) in zip(thresholds, [0.65, 0.01, 0.005] as [Float]) { #expect(abs(found - expected) < 1e-6) }
  }

  @Test func weightsWithoutCalibrationAreAnError() throws {
    var statistics = TrainingStatistics(anchorCount: 1000, foregroundCounts: [30, 10], imageCount: 9)
    let error = try thrown(StrategyError.self) { try CalibratedThreshold().thresholds(for: statistics) }
    #expect(error.description.contains("train with thresholder: calibrated"))
    statistics.calibratedThresholds = [0.3, 0.4]
    #expect(try CalibratedThreshold().thresholds(for: statistics) == [0.3, 0.4])
  }

  @Test func detectionsChooseObjectsByScore() {
    let object = Box(x: 10, y: 10, width: 20, height: 20)
    func detection(_ box: Box, _ score: Float, _ classIndex: Int = 0) -> Detection {
      Detection(box: box, classIndex: classIndex, score: score)
    }
    var matches = DetectionMatches(classCount: 2)
    matches.add(
      [
        detection(Box(x: 12, y: 10, width: 20, height: 20), 0.5),  // overlaps well, but comes second
        detection(Box(x: 11, y: 10, width: 20, height: 20), 0.9),
        detection(object, 0.8, 1),  // of another class
        detection(Box(x: 60, y: 60, width: 10, height: 10), 0.7),  // in a crowd: does not count
        detection(Box(x: 28, y: 28, width: 20, height: 20), 0.2),  // hardly overlaps
      ],
      objects: [(object, 0)], ignored: [(Box(x: 50, y: 50, width: 50, height: 50), 0)])
    #expect(matches.objectCounts == [1, 0])
    #expect(matches.found[0].map(\.score) == [0.9, 0.5, 0.2])
    #expect(matches.found[0].map(\.isCorrect) == [true, false, false])
    #expect(matches.found[1] == [Found(score: 0.8, isCorrect: false)])
  }
}

@Suite struct DetectionMatchesTests {
  /// VOC's rule: a second detection of an object is wrong, even where it overlaps another object enough.
  @Test func aDuplicateDoesNotTakeTheNextObject() {
    let (near, far) = (Box(x: 10, y: 10, width: 20, height: 20), Box(x: 15, y: 10, width: 20, height: 20))
    var matches = DetectionMatches(classCount: 1)
    matches.add(
      [
        Detection(box: near, classIndex: 0, score: 0.9),
        Detection(box: Box(x: 11, y: 10, width: 20, height: 20), classIndex: 0, score: 0.8),  // IoU 0.90 with near, 0.67 with far
        Detection(box: Box(x: 14, y: 10, width: 20, height: 20), classIndex: 0, score: 0.7),
      ], objects: [(near, 0), (far, 0)])
    #expect(matches.found[0].map(\.isCorrect) == [true, false, true] && matches.objectCounts == [2])
  }

  @Test func aDuplicateInACrowdDoesNotCount() {
    let box = Box(x: 10, y: 10, width: 20, height: 20)
    var matches = DetectionMatches(classCount: 1)
    matches.add(
      [0.9, 0.8].map { Detection(box: box, classIndex: 0, score: $0) }, objects: [(box, 0)],
      ignored: [(Box(x: 0, y: 0, width: 90, height: 90), 0)])
    #expect(matches.found[0].map(\.score) == [0.9])
  }
}

@Suite struct ScalarThresholdTests {
  @Test func allClassesHaveTheShareOfForeground() throws {
    let statistics = TrainingStatistics(anchorCount: 10_000, foregroundCounts: [60, 30, 10], imageCount: 9)
    #expect(try ScalarThreshold().thresholds(for: statistics).allSatisfy { abs($0 - 0.01) < 1e-9 })
    #expect(abs(try ScalarThreshold().thresholds(for: cocoStatistics)[79] - 0.001) < 1e-9)
    #expect(throws: StrategyError.self) { try ScalarThreshold().thresholds(for: TrainingStatistics(classCount: 3)) }
  }
}

@Suite struct TopKPerLevelTests {
  @Test func nothingScoresTooLowButEachLevelHasItsLimit() throws {
    var registry = StrategyRegistry()
    registerThresholders(in: &registry)
    let strategy = try registry.makeThresholder(StrategyReference("top-k", parameters: ["k": .int(7)]))
    #expect(strategy.candidatesPerLevel == 7)
    #expect(try strategy.thresholds(for: TrainingStatistics(classCount: 3)) == [0, 0, 0])
    #expect(try registry.makeThresholder(StrategyReference("fixed")).candidatesPerLevel == nil)
    #expect(throws: StrategyError.self) { try registry.makeThresholder(StrategyReference("top-k", parameters: ["k": .int(0)])) }
  }
}
