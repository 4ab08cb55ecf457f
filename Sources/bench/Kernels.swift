import ArgumentParser
import Foundation
import SamplingFree

/// Runs each pure kernel once on a fixed input, for `scripts/benchmarks/instructions.sh`, which counts the instructions
/// between the beginning and the end of `measuredKernel`.
struct Kernels: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Run each kernel once, to be counted; print their names in order.")

  func run() throws {
    for (name, body) in try Self.losses() + Self.boxes() + Self.images() + [("sgd", Self.optimizer())] {
      try body()  // what is made on first use
      try measuredKernel(body)
      print(name)
    }
  }

  private typealias Kernel = (name: String, body: () throws -> Void)

  /// The same in every run: 0..<1.
  private static func uniform(_ i: Int, _ factor: UInt32 = 2_654_435_761) -> Float {
    Float((UInt32(truncatingIfNeeded: i + 1) &* factor) >> 8) * 0x1p-24
  }

  private static func box(_ i: Int, within side: Float) -> Box {
    let size = side * (0.05 + 0.3 * uniform(i, 2_246_822_519))
    return Box(
      x: (side - size) * uniform(i, 3_266_489_917), y: (side - size) * uniform(i, 668_265_263), width: size,
      height: size * (0.5 + 0.5 * uniform(i, 374_761_393)))
  }

  // MARK: Losses

  private static func losses() -> [Kernel] {
    let (anchors, classes) = (4000, 80)
    let logits = (0..<anchors * classes).map { 8 * uniform($0) - 6 }
    let labels = (0..<anchors).map { anchor -> Int32 in
      if anchor % 50 == 0 { return Int32(1 + anchor / 50 % classes) }
      return anchor % 49 == 0 ? -1 : 0
    }
    let overlaps = (0..<anchors).map { uniform($0, 374_761_393) }
    var gradient = [Float](repeating: 0, count: logits.count)
    func withBatch(_ body: (ClassificationBatch) throws -> Void) throws {
      try logits.withUnsafeBufferPointer { logits in
        try labels.withUnsafeBufferPointer { labels in
          try overlaps.withUnsafeBufferPointer { overlaps in
            try body(
              ClassificationBatch(
                logits: logits, labels: labels, overlaps: overlaps, imageOffsets: [0, anchors / 2, anchors], classCount: classes))
          }
        }
      }
    }
    func loss(_ law: WeightingLaw) -> () throws -> Void {
      {
        try withBatch { batch in
          try gradient.withUnsafeMutableBufferPointer {
            _ = try ClassificationLoss.evaluate(batch, weighting: Weighting(law: law, normalizer: 1), gradient: $0)
          }
        }
      }
    }
    return [
      ("cross-entropy", loss(.constant)),
      ("focal", loss(.focal(gamma: 2, targetAlpha: 0.25, otherAlpha: 0.75))),
      ("bins", loss(.bins((0..<30).map { 1 + Float($0) / 30 }))),
      ("error-histogram", { try withBatch { _ = try ErrorHistogram.count($0, bins: 30) } }),
      ("anchor-losses", { try withBatch { _ = try $0.anchorLosses() } }),
    ]
  }

  private static func optimizer() throws -> () throws -> Void {
    var graph = Graph()
    _ = graph.convolution(graph.input(channels: 64), path: "a", channels: 512, kernel: 3)
    let parameters = try Parameters(graph.parameters, seed: 1)
    for i in parameters.gradients.indices { parameters.gradients[i] = uniform(i) - 0.5 }
    let optimizer = try SGD(parameters, clipNorm: 1)
    return { optimizer.step(learningRate: 1e-3) }
  }

  // MARK: Boxes

  private static func boxes() -> [Kernel] {
    let generator = AnchorGenerator(sizes: [[16, 20, 25], [32, 40, 50], [64, 80, 100]], aspectRatios: [0.5, 1, 2])
    let levels = [3, 4, 5].map { FeatureLevel(height: 256 >> $0, width: 256 >> $0, stride: 1 << $0) }
    let anchors = generator.anchors(for: levels)
    let objects = (0..<20).map { box($0, within: 256) }
    let classes = 20
    let logits = (0..<anchors.count * classes).map { -12 + 10 * uniform($0) * uniform($0, 2_246_822_519) }
    let deltas = (0..<anchors.count * 4).map { uniform($0) - 0.5 }
    let candidates = (0..<1000).map { box($0, within: 800) }
    let scores = (0..<1000).map { uniform($0) }
    return [
      ("anchors", { _ = generator.anchors(for: levels) }),
      ("matcher", { _ = Matcher().match(anchors: anchors, boxes: objects) }),
      (
        "anchor-targets",
        {
          _ = AnchorTargets(
            anchors: anchors, boxes: objects, classIndexes: objects.indices.map { $0 % classes }, matcher: Matcher(), coder: BoxCoder())
        }
      ),
      ("suppression", { _ = NonMaximumSuppression.keep(boxes: candidates, scores: scores, threshold: 0.5) }),
      (
        "post-processing",
        {
          logits.withUnsafeBufferPointer { logits in
            deltas.withUnsafeBufferPointer { deltas in
              _ = PostProcessor().detections(
                logits: logits, deltas: deltas, anchors: anchors, levelOffsets: generator.levelOffsets(for: levels),
                thresholds: Array(repeating: 1e-4, count: classes), coder: BoxCoder(), imageWidth: 256, imageHeight: 256)
            }
          }
        }
      ),
      ("evaluation", evaluation),
    ]
  }

  private static func evaluation() {
    var evaluator = COCOEvaluator(classCount: 10)
    for i in 0..<400 {
      let object = box(i, within: 640)
      evaluator.addGroundTruth(
        image: i / 8, classIndex: i % 10, box: EvaluationBox(object), area: Double(object.area), isCrowd: i % 97 == 0)
    }
    for i in 0..<2500 {
      // Every other one lies near an object of its image.
      let object = box(i % 2 == 0 ? i / 50 * 8 + i % 8 : 1000 + i, within: 640)
      evaluator.addDetection(image: i / 50, classIndex: i % 10, box: EvaluationBox(object), score: Double(uniform(i)))
    }
    _ = evaluator.evaluate()
  }

  // MARK: Images

  private static func images() -> [Kernel] {
    let pixels = (0..<320 * 240 * 3).map { UInt8(255 * uniform($0)) }
    let sample = Sample(id: 0, image: Image(width: 320, height: 240, pixels: pixels), annotations: [])
    func batch(_ interpolation: Interpolation) -> () -> Void {
      let options = InputOptions(
        size: .shorterSide(150, longerSide: 250), interpolation: interpolation, flipProbability: 1)
      return {
        var generator = SeededGenerator(seed: 0)
        _ = Batch(samples: [sample], options: options, generator: &generator)
      }
    }
    return [("batch-antialiased", batch(.antialiased)), ("batch-bilinear", batch(.bilinear))]
  }
}

/// Its name is what the counting script looks for.
@inline(never) private func measuredKernel(_ body: () throws -> Void) rethrows { try body() }
