import ArgumentParser
import SamplingFree

/// The classification loss of two images of 800x1333, or about so, and its gradient.
struct Loss: ParsableCommand {
  @Option(help: "A sampler's name; outside-focal is written in the way of a strategy from outside.") var sampler = "none"

  func run() throws {
    var registry = StrategyRegistry.standard
    registry.register(OutsideFocal.self)
    var sampler = try registry.makeSampler(StrategyReference(sampler))
    let fixture = try LossFixture()
    func run() throws -> ClassificationLossValue {
      try fixture.withBatch { batch in
        let weighting = try sampler.weighting(for: batch, step: 0)
        return try ClassificationLoss.evaluate(batch, weighting: weighting, gradient: fixture.gradient)
      }
    }
    _ = try run()
    try Worker.serve(check: {
      let value = try run()
      let gradient = stride(from: 0, to: fixture.gradient.count, by: fixture.gradient.count / 1000)
      return ["sum": [value.sum], "gradient": gradient.map { Double(fixture.gradient[$0]) }]
    }) { _ = try run() }
  }
}

/// 2 x 120,087 anchors of 80 classes, one in a thousand foreground. `scripts/benchmarks/work.py` makes the same numbers.
struct LossFixture {
  static let (images, anchors, classes) = (2, 120_087, 80)
  let logits: UnsafeMutableBufferPointer<Float>
  let gradient: UnsafeMutableBufferPointer<Float>
  private let labels: [Int32]
  private let overlaps: [Float]

  init() throws {
    let count = Self.images * Self.anchors
    // As a program lays out its outputs.
    logits = try .allocateAligned(count * Self.classes)
    gradient = try .allocateAligned(count * Self.classes)
    for i in logits.indices { logits[i] = Float(12 * Noise.uniform(i, 2_654_435_761) - 8) }
    gradient.initialize(repeating: 0)
    labels = (0..<count).map { anchor -> Int32 in anchor % 1000 == 0 ? Int32(anchor / 1000 % Self.classes) + 1 : 0 }
    overlaps = labels.map { $0 > 0 ? 0.75 : 0 }
  }

  func withBatch<T>(_ body: (ClassificationBatch) throws -> T) rethrows -> T {
    try labels.withUnsafeBufferPointer { labels in
      try overlaps.withUnsafeBufferPointer { overlaps in
        try body(
          ClassificationBatch(
            logits: UnsafeBufferPointer(logits), labels: labels, overlaps: overlaps,
            imageOffsets: [0, Self.anchors, 2 * Self.anchors], classCount: Self.classes))
      }
    }
  }
}
