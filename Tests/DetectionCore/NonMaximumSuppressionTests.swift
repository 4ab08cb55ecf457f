import DetectionCore
import Testing

@Suite struct NonMaximumSuppressionTests {
  @Test func keptBoxesAreTorchvisions() throws {
    let golden = try TorchvisionGoldens.load().suppression
    let boxes = TorchvisionGoldens.boxes(golden.boxes)
    for (threshold, kept) in golden.kept {
      #expect(NonMaximumSuppression.keep(boxes: boxes, scores: golden.scores, threshold: try #require(Float(threshold))) == kept)
    }
  }

  /// Against the textbook's form: take the best, strike out what it overlaps, repeat.
  @Test(arguments: 0..<40)
  func greedyByScore(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let boxes = (0..<60).map { _ in random.box(in: 30) }
    let scores = boxes.map { _ in Float(Int.random(in: 0..<20, using: &random)) / 20 }
    let threshold = Float(seed % 10) / 10
    var left = Array(boxes.indices)
    var expected: [Int] = []
    while let best = left.max(by: { (scores[$0], $1) < (scores[$1], $0) }) {
      expected.append(best)
      left.removeAll { $0 == best || boxes[$0].iou(with: boxes[best]) > threshold }
    }
    #expect(NonMaximumSuppression.keep(boxes: boxes, scores: scores, threshold: threshold) == expected)
    #expect(NonMaximumSuppression.keep(boxes: boxes, scores: scores, threshold: threshold, limit: 5) == Array(expected.prefix(5)))
  }

  @Test func theThresholdItselfDoesNotSuppress() {
    let boxes = [Box(x: 0, y: 0, width: 10, height: 10), Box(x: 0, y: 0, width: 10, height: 5)]
    #expect(NonMaximumSuppression.keep(boxes: boxes, scores: [0.9, 0.8], threshold: 0.5) == [0, 1])
    #expect(NonMaximumSuppression.keep(boxes: boxes, scores: [0.9, 0.8], threshold: 0.499) == [0])
  }

  @Test func aSuppressedBoxSuppressesNothing() {
    // Each overlaps the next by half, the first and the last not at all.
    let boxes = [0, 5, 10].map { Box(x: Float($0), y: 0, width: 10, height: 10) }
    #expect(NonMaximumSuppression.keep(boxes: boxes, scores: [0.9, 0.8, 0.7], threshold: 0.3) == [0, 2])
  }

  @Test func nothingInNothingOut() {
    #expect(NonMaximumSuppression.keep(boxes: [], scores: [], threshold: 0.5).isEmpty)
  }
}
