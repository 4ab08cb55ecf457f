import DetectionCore
import Foundation
import Testing

/// The post-processor against what it is defined to be: filter, sort, decode, suppress class by class, sort.
@Suite struct PostProcessorDefinitionTests {
  struct Input {
    var logits: [Float]
    var deltas: [Float]
    var anchors: [Box]
    var offsets: [Int]
    var thresholds: [Float]
    let coder = BoxCoder()
    let size: Float = 300
  }

  static func defined(_ input: Input, _ processor: PostProcessor) -> [Detection] {
    let classes = input.thresholds.count
    let bounds = input.thresholds.map { $0 <= 0 ? -Float.infinity : $0 >= 1 ? Float.infinity : log($0 / (1 - $0)) }
    var boxes = Array(repeating: [Box](), count: classes)
    var scores = Array(repeating: [Float](), count: classes)
    for (start, end) in zip(input.offsets, input.offsets.dropFirst()) {
      let above = (start * classes..<end * classes).filter { input.logits[$0] > bounds[$0 % classes] }
      let best = above.sorted { (input.logits[$1], $0) < (input.logits[$0], $1) }.prefix(processor.candidatesPerLevel)
      for element in best {
        let anchor = element / classes
        let delta = SIMD4(input.deltas[4 * anchor..<4 * anchor + 4])
        let decoded = input.coder.decode(delta, anchor: input.anchors[anchor])
        guard [decoded.x1, decoded.y1, decoded.x2, decoded.y2].allSatisfy(\.isFinite) else { continue }
        let box = decoded.clipped(width: input.size, height: input.size)
        guard box.area > 0 else { continue }
        boxes[element % classes].append(box)
        scores[element % classes].append(1 / (1 + exp(-input.logits[element])))
      }
    }
    let all = (0..<classes).flatMap { c in
      NonMaximumSuppression.keep(boxes: boxes[c], scores: scores[c], threshold: processor.nmsThreshold).map {
        Detection(box: boxes[c][$0], classIndex: c, score: scores[c][$0])
      }
    }
    let order = all.indices.sorted { (all[$1].score, $0) < (all[$0].score, $1) }
    return order.prefix(processor.maximumDetections).map { all[$0] }
  }

  /// Logits on a coarse grid, so that equal and saturated scores are frequent; some that are no numbers.
  static func input(seed: UInt64, anchors count: Int, classes: Int, threshold: Float) -> Input {
    var random = SplitMix(seed: seed)
    let logits = (0..<count * classes).map { _ -> Float in
      let u = random.float(-1...1)
      return Int.random(in: 0..<500, using: &random) == 0 ? .nan : (u * u * u * 30 * 4).rounded() / 4
    }
    let deltas = (0..<4 * count).map { _ in
      Int.random(in: 0..<500, using: &random) == 0 ? Float.infinity : random.float(-1...1)
    }
    return Input(
      logits: logits, deltas: deltas, anchors: (0..<count).map { _ in random.box(in: 320) },
      offsets: [0, count * 3 / 4, count * 3 / 4, count - 1, count],
      thresholds: (0..<classes).map { threshold * Float(1 + $0 % 3) })
  }

  @Test(arguments: [
    (30, 1, 0.05), (500, 3, 0.05), (500, 3, 1e-5), (400, 91, 1e-5), (9000, 20, 1e-5), (9000, 20, 0.3), (200, 2, 0),
  ])
  func detectionsAreTheDefinedOnes(anchors: Int, classes: Int, threshold: Float) {
    for (seed, processor) in [
      PostProcessor(), PostProcessor(nmsThreshold: 0.3, candidatesPerLevel: 37, maximumDetections: 20),
      PostProcessor(nmsThreshold: 0.9, candidatesPerLevel: 5000, maximumDetections: 10_000),
      PostProcessor(candidatesPerLevel: 0), PostProcessor(maximumDetections: 0),
    ].enumerated() {
      let input = Self.input(seed: UInt64(seed), anchors: anchors, classes: classes, threshold: threshold)
      let found = input.logits.withUnsafeBufferPointer { logits in
        input.deltas.withUnsafeBufferPointer { deltas in
          processor.detections(
            logits: logits, deltas: deltas, anchors: input.anchors, levelOffsets: input.offsets,
            thresholds: input.thresholds, coder: input.coder, imageWidth: input.size, imageHeight: input.size)
        }
      }
      #expect(found == Self.defined(input, processor))
    }
  }
}
