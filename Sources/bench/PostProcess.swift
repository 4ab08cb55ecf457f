import ArgumentParser
import SamplingFree

/// From logits and deltas to detections: 201,600 anchors of an image of 800x1344, 80 classes.
struct PostProcess: ParsableCommand {
  @Option(help: "Score above which an anchor is a candidate.") var threshold: Float = 0.05

  static let classes = 80
  static let (height, width) = (800, 1344)

  func run() throws {
    let generator = AnchorGenerator(
      sizes: [32, 64, 128, 256, 512].map { [$0, $0 * 1.2599211, $0 * 1.587401] }, aspectRatios: [0.5, 1, 2])
    let levels = (3...7).map { level in
      FeatureLevel(
        height: Self.height.dividedRoundingUp(by: 1 << level), width: Self.width.dividedRoundingUp(by: 1 << level),
        stride: 1 << level)
    }
    let anchors = generator.anchors(for: levels)
    let offsets = generator.levelOffsets(for: levels)
    let logits = (0..<anchors.count * Self.classes).map(Self.logit)
    let deltas = (0..<anchors.count * 4).map { Float(Noise.uniform($0, 2_654_435_761) - 0.5) }
    let processor = PostProcessor()
    func run() -> [Detection] {
      logits.withUnsafeBufferPointer { logits in
        deltas.withUnsafeBufferPointer { deltas in
          processor.detections(
            logits: logits, deltas: deltas, anchors: anchors, levelOffsets: offsets,
            thresholds: Array(repeating: threshold, count: Self.classes), coder: BoxCoder(),
            imageWidth: Float(Self.width), imageHeight: Float(Self.height))
        }
      }
    }
    _ = run()
    try Worker.serve(check: {
      let found = run()
      return [
        "scores": found.map { Double($0.score) },
        "boxes": found.flatMap { [$0.box.x1, $0.box.y1, $0.box.x2, $0.box.y2].map { Double($0) } },
      ]
    }) { _ = run() }
  }

  /// As of a network just started with the optimal bias, and of one element in 4096 that stands out.
  /// `scripts/benchmarks/work.py` makes the same numbers.
  private static func logit(_ i: Int) -> Float {
    let base = -12 + 2 * Noise.uniform(i, 2_654_435_761)
    return Float(Noise.uniform(i, 2_246_822_519) < 1.0 / 4096 ? base + 12 * Noise.uniform(i, 3_266_489_917) : base)
  }
}

extension Int {
  fileprivate func dividedRoundingUp(by divisor: Int) -> Int { (self + divisor - 1) / divisor }
}
