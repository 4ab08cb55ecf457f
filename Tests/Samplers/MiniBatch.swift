import DetectionCore

/// A mini-batch in arrays, and what strategies make of it.
struct MiniBatch {
  var logits: [Float]
  var labels: [Int32]
  var overlaps: [Float]
  var objects: [Int32] = []
  var qualities: [Float]?
  var classCount: Int
  var imageOffsets: [Int]
  var statistics: TrainingStatistics?
  var processes: any AllReduce = SingleProcess()

  /// - Parameters:
  ///   - overlaps: 0 unless given.
  ///   - imageOffsets: one image unless given.
  init(logits: [Float], labels: [Int32], classCount: Int, overlaps: [Float]? = nil, imageOffsets: [Int]? = nil) {
    self.logits = logits
    self.labels = labels
    self.overlaps = overlaps ?? Array(repeating: 0, count: labels.count)
    self.classCount = classCount
    self.imageOffsets = imageOffsets ?? [0, labels.count]
  }

  /// Several images with objects, ignored anchors and plenty of background.
  static func random(images: Int = 2, anchors: Int = 150, classes: Int = 5, objects: Int = 4, seed: UInt64) -> MiniBatch {
    var random = SeededGenerator(seed: seed)
    let count = images * anchors
    var batch = MiniBatch(
      logits: (0..<(count * classes)).map { _ in 6 * random.uniform() - 4 }, labels: Array(repeating: 0, count: count),
      classCount: classes, imageOffsets: (0...images).map { $0 * anchors })
    batch.objects = Array(repeating: -1, count: count)
    var qualities = [Float](repeating: 0, count: count)
    for anchor in 0..<count {
      let kind = random.uniform()
      if kind < 0.2 {
        let object = random.index(below: objects)
        batch.labels[anchor] = Int32(object % classes + 1)
        batch.objects[anchor] = Int32(object)
        batch.overlaps[anchor] = 0.5 + random.uniform() / 2
        qualities[anchor] = random.uniform()
      } else if kind < 0.3 {
        batch.labels[anchor] = -1
        batch.overlaps[anchor] = 0.4 + random.uniform() / 10
      } else {
        batch.overlaps[anchor] = kind < 0.5 ? 0 : 0.4 * random.uniform()
      }
    }
    batch.qualities = qualities
    batch.statistics = TrainingStatistics(
      anchorCount: 10_000, foregroundCounts: (1...classes).map { $0 * 10 }, imageCount: 100,
      objectCounts: (1...classes).map { $0 * $0 }, imageCounts: (1...classes).map { $0 * 3 })
    return batch
  }

  var anchorCount: Int { labels.count }

  func image(ofAnchor anchor: Int) -> Int { imageOffsets.lastIndex { $0 <= anchor } ?? 0 }

  func withBatch<T>(_ body: (ClassificationBatch) throws -> T) rethrows -> T {
    try logits.withUnsafeBufferPointer { logits in
      try labels.withUnsafeBufferPointer { labels in
        try overlaps.withUnsafeBufferPointer { overlaps in
          try objects.withUnsafeBufferPointer { objects in
            try body(
              ClassificationBatch(
                logits: logits, labels: labels, overlaps: overlaps, objects: objects, imageOffsets: imageOffsets,
                classCount: classCount, statistics: statistics, processes: processes,
                qualities: qualities.map { qualities in { qualities } }))
          }
        }
      }
    }
  }

  func weighting(_ sampler: any Sampler, step: Int = 0) throws -> Weighting {
    var sampler = sampler
    return try withBatch { try sampler.weighting(for: $0, step: step) }
  }

  /// The sampler's loss, and the gradient of its sum.
  func loss(_ sampler: some Sampler) throws -> (value: ClassificationLossValue, gradient: [Float]) {
    var sampler: any Sampler = sampler
    return try loss(&sampler)
  }

  func loss(_ sampler: inout any Sampler, step: Int = 0) throws -> (value: ClassificationLossValue, gradient: [Float]) {
    try withBatch { batch in try loss(sampler.weighting(for: batch, step: step)) }
  }

  func loss(_ weighting: Weighting) throws -> (value: ClassificationLossValue, gradient: [Float]) {
    var gradient = [Float](repeating: .nan, count: logits.count)
    let value = try withBatch { batch in
      try gradient.withUnsafeMutableBufferPointer {
        try ClassificationLoss.evaluate(batch, weighting: weighting, gradient: $0)
      }
    }
    return (value, gradient)
  }

  /// The anchors that a hard sampler picks, ascending.
  func picked(_ sampler: any Sampler, step: Int = 0) throws -> [Int] {
    let weights = try weighting(sampler, step: step).anchorWeights ?? []
    return weights.indices.filter { weights[$0] != 0 }
  }

  /// With each image's anchors in another order; `order[i]` is the old place of anchor i.
  func reordered(seed: UInt64) -> (batch: MiniBatch, order: [Int]) {
    var random = SeededGenerator(seed: seed)
    let order = (0..<(imageOffsets.count - 1)).flatMap { image in
      random.permutation(of: imageOffsets[image + 1] - imageOffsets[image]).map { $0 + imageOffsets[image] }
    }
    var batch = self
    batch.logits = order.flatMap { Array(logits[($0 * classCount)..<(($0 + 1) * classCount)]) }
    batch.labels = order.map { labels[$0] }
    batch.overlaps = order.map { overlaps[$0] }
    if !objects.isEmpty { batch.objects = order.map { objects[$0] } }
    batch.qualities = qualities.map { qualities in order.map { qualities[$0] } }
    return (batch, order)
  }
}

extension LossScaler {
  /// w.
  mutating func w(_ classification: Float, _ regression: Float) throws -> Float {
    try scales(classification: classification, regression: regression).classification
  }
}

/// The paper's numbers for RetinaNet on COCO: N / N_f is about 1000, C = 80 (arXiv 1909.04868, section 4.3).
let cocoStatistics = TrainingStatistics(
  anchorCount: 80_000_000, foregroundCounts: Array(repeating: 1000, count: 80), imageCount: 1000)
