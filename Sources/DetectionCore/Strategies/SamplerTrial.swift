/// What a sampler makes of a small mini-batch of one image: for a sampler's tests, and for looking at it.
public struct SamplerTrial: Hashable, Sendable {
  public var loss: ClassificationLossValue
  /// [anchors x classes]: d loss.sum / d logit.
  public var gradient: [Float]

  /// - Parameters:
  ///   - logits: [anchors x classes].
  ///   - labels: [anchors]: -1 ignored, 0 background, c >= 1 class c.
  ///   - overlaps: [anchors]: best IoU with any box; nil for 1 in the foreground and 0 elsewhere.
  /// - Throws: what the sampler throws; `StrategyError` where sizes do not agree or a logit is not finite.
  public init(
    _ sampler: inout some Sampler, logits: [Float], labels: [Int32], overlaps: [Float]? = nil, classCount: Int,
    step: Int = 0
  ) throws {
    let overlaps = overlaps ?? labels.map { $0 > 0 ? 1 : 0 }
    guard classCount > 0, logits.count == labels.count * classCount, overlaps.count == labels.count else {
      throw StrategyError(
        "\(logits.count) logits, \(labels.count) labels, \(overlaps.count) overlaps, \(classCount) classes do not agree")
    }
    guard let highest = labels.max(), highest <= classCount else {
      throw StrategyError("labels must be -1 to \(classCount), at least one")
    }
    var gradient = [Float](repeating: 0, count: logits.count)
    loss = try logits.withUnsafeBufferPointer { logits in
      try labels.withUnsafeBufferPointer { labels in
        try overlaps.withUnsafeBufferPointer { overlaps in
          let batch = ClassificationBatch(
            logits: logits, labels: labels, overlaps: overlaps, imageOffsets: [0, labels.count], classCount: classCount)
          let weighting = try sampler.checkedWeighting(for: batch, step: step)
          return try gradient.withUnsafeMutableBufferPointer {
            try ClassificationLoss.evaluate(batch, weighting: weighting, gradient: $0)
          }
        }
      }
    }
    self.gradient = gradient
  }
}
