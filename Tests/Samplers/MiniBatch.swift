import DetectionCore

/// A mini-batch in arrays, and what strategies make of it.
struct MiniBatch {
  var logits: [Float]
  var labels: [Int32]
  var classCount: Int
  var imageOffsets: [Int]

  /// - Parameter imageOffsets: one image unless given.
  init(logits: [Float], labels: [Int32], classCount: Int, imageOffsets: [Int]? = nil) {
    self.logits = logits
    self.labels = labels
    self.classCount = classCount
    self.imageOffsets = imageOffsets ?? [0, labels.count]
  }

  /// The sampler's loss, and the gradient of its sum.
  func loss(_ sampler: some Sampler) throws -> (value: ClassificationLossValue, gradient: [Float]) {
    var sampler = sampler
    var gradient = [Float](repeating: .nan, count: logits.count)
    let overlaps = [Float](repeating: 0, count: labels.count)
    let value = try logits.withUnsafeBufferPointer { logits in
      try labels.withUnsafeBufferPointer { labels in
        try overlaps.withUnsafeBufferPointer { overlaps in
          let batch = ClassificationBatch(
            logits: logits, labels: labels, overlaps: overlaps, imageOffsets: imageOffsets, classCount: classCount)
          let weighting = try sampler.weighting(for: batch, step: 0)
          return try gradient.withUnsafeMutableBufferPointer {
            try ClassificationLoss.evaluate(batch, weighting: weighting, gradient: $0)
          }
        }
      }
    }
    return (value, gradient)
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
