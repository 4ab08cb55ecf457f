import DetectionCore
import Foundation
import Testing

@Suite struct PostProcessorTests {
  static let anchors = (0..<6).map { Box(x: Float(20 * $0), y: 0, width: 10, height: 10) }

  /// Every anchor is where its object would be; two levels of three anchors.
  static func detect(
    _ logits: [Float], thresholds: [Float] = [0.5, 0.5], _ processor: PostProcessor = PostProcessor(),
    deltas: [Float] = Array(repeating: 0, count: 24), anchors: [Box] = PostProcessorTests.anchors, width: Float = 200
  ) -> [Detection] {
    logits.withUnsafeBufferPointer { logits in
      deltas.withUnsafeBufferPointer { deltas in
        processor.detections(
          logits: logits, deltas: deltas, anchors: anchors, levelOffsets: [0, 3, 6], thresholds: thresholds,
          coder: BoxCoder(), imageWidth: width, imageHeight: 100)
      }
    }
  }

  @Test func detectionsAreTorchvisions() throws {
    let golden = try TorchvisionGoldens.load()
    let expected = golden.detections
    let processor = PostProcessor(
      nmsThreshold: expected.nms, candidatesPerLevel: expected.candidates, maximumDetections: expected.maximum)
    let found = expected.logits.withUnsafeBufferPointer { logits in
      expected.deltas.withUnsafeBufferPointer { deltas in
        processor.detections(
          logits: logits, deltas: deltas, anchors: golden.anchorGenerator.anchors(for: golden.featureLevels),
          levelOffsets: golden.anchorGenerator.levelOffsets(for: golden.featureLevels),
          thresholds: Array(repeating: expected.threshold, count: 3), coder: BoxCoder(weights: SIMD4(10, 10, 5, 5)),
          imageWidth: 48, imageHeight: 32)
      }
    }
    #expect(found.map(\.classIndex) == expected.classes)
    for (i, box) in TorchvisionGoldens.boxes(expected.boxes).enumerated() {
      #expect(abs(found[i].score - expected.scores[i]) < 1e-6)
      #expect(found[i].box.distance(to: box) < 1e-3)
    }
  }

  @Test func scoresMustLieAboveTheirClassThreshold() {
    let half = log(Float(0.3) / 0.7)
    var logits = [Float](repeating: -20, count: 12)
    logits[0] = half + 0.01  // anchor 0, class 0
    logits[3] = half + 0.01  // anchor 1, class 1
    let found = Self.detect(logits, thresholds: [0.3, 0.4])
    #expect(found.map(\.classIndex) == [0])
    #expect(abs(found[0].score - 0.3021) < 1e-4 && found[0].box == Self.anchors[0])
    logits[0] = 0
    #expect(Self.detect(logits, thresholds: [0.5, 0.4]).isEmpty, "the threshold itself is not above it")
  }

  @Test func thresholdsOfZeroAndOneKeepAllAndNothing() {
    let logits = [Float](repeating: -80, count: 12)
    let found = Self.detect(logits, thresholds: [0, 1])
    #expect(found.count == 6 && found.allSatisfy { $0.classIndex == 0 && $0.score > 0 })
    #expect(Self.detect([Float](repeating: 80, count: 12), thresholds: [1, 1]).isEmpty)
  }

  @Test func suppressionStaysWithinAClass() {
    let anchors = Array(repeating: Box(x: 0, y: 0, width: 10, height: 10), count: 6)
    let logits: [Float] = [3, 2, 2, 3, -9, -9, -9, -9, -9, -9, -9, -9]
    let found = Self.detect(logits, anchors: anchors)
    #expect(found.map(\.classIndex) == [0, 1])
    #expect(found[0].score == found[1].score)
  }

  @Test func eachLevelGivesItsBestCandidates() {
    var logits = [Float](repeating: -9, count: 12)
    for anchor in 0..<6 { logits[2 * anchor] = Float(anchor) + 1 }
    let found = Self.detect(logits, PostProcessor(candidatesPerLevel: 1))
    #expect(found.map(\.box) == [Self.anchors[5], Self.anchors[2]])
    #expect(Self.detect(logits, PostProcessor(maximumDetections: 3)).map(\.box) == [5, 4, 3].map { Self.anchors[$0] })
  }

  /// The selection drops candidates as it goes; the result must be that of sorting them all.
  @Test(arguments: 0..<10)
  func theBestAreThoseOfAFullSort(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let count = 400
    let anchors = (0..<count).map { Box(x: Float(20 * $0), y: 0, width: 10, height: 10) }
    let logits = (0..<(2 * count)).map { _ in Float(Int.random(in: -30...30, using: &random)) / 10 }
    let processor = PostProcessor(candidatesPerLevel: 37, maximumDetections: 1000)
    let found = logits.withUnsafeBufferPointer { logits in
      [Float](repeating: 0, count: 4 * count).withUnsafeBufferPointer {
        processor.detections(
          logits: logits, deltas: $0, anchors: anchors, levelOffsets: [0, count], thresholds: [0.6, 0.3], coder: BoxCoder(),
          imageWidth: 10_000, imageHeight: 100)
      }
    }
    let expected = logits.indices.filter { 1 / (1 + exp(-Double(logits[$0]))) > ($0 % 2 == 0 ? 0.6 : 0.3) }
      .sorted { (logits[$1], $0) < (logits[$0], $1) }.prefix(37)
    #expect(Set(found.map { "\($0.box.x1) \($0.classIndex)" }) == Set(expected.map { "\(anchors[$0 / 2].x1) \($0 % 2)" }))
    #expect(found.map(\.score) == found.map(\.score).sorted(by: >))
  }

  @Test func boxesAreCutToTheImageAndDroppedOutside() {
    var logits = [Float](repeating: -9, count: 12)
    for anchor in 0..<6 { logits[2 * anchor] = 2 }
    let found = Self.detect(logits, width: 45)  // anchors begin at 0, 20, 40, 60...
    #expect(found.map(\.box) == [Self.anchors[0], Self.anchors[1], Box(x: 40, y: 0, width: 5, height: 10)])
  }

  @Test func whatIsNoNumberIsNoDetection() {
    var logits = [Float](repeating: -9, count: 12)
    logits[0] = .nan
    logits[2] = 2
    logits[4] = 2
    var deltas = [Float](repeating: 0, count: 24)
    deltas[4] = .nan
    #expect(Self.detect(logits, deltas: deltas).map(\.box) == [Self.anchors[2]])
  }
}
