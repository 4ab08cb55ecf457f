/// A mini-batch as a sampler sees it: all images' anchors in a row. The buffers live as long as the step.
public struct ClassificationBatch: @unchecked Sendable {
  /// [anchors x classes].
  public let logits: UnsafeBufferPointer<Float>
  /// [anchors]: -1 ignored, 0 background, c >= 1 class c.
  public let labels: UnsafeBufferPointer<Int32>
  /// [anchors]: best IoU with any box.
  public let overlaps: UnsafeBufferPointer<Float>
  /// Where each image's anchors begin, and at the end their number.
  public let imageOffsets: [Int]
  public let classCount: Int
  public let foregroundCount: Int

  /// - Precondition: the buffers' sizes agree, and no label is above `classCount`.
  public init(
    logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>, overlaps: UnsafeBufferPointer<Float>,
    imageOffsets: [Int], classCount: Int
  ) {
    precondition(
      logits.count == labels.count * classCount && overlaps.count == labels.count && imageOffsets.last == labels.count,
      "\(logits.count) logits, \(labels.count) labels, \(overlaps.count) overlaps, \(classCount) classes do not agree")
    self.logits = logits
    self.labels = labels
    self.overlaps = overlaps
    self.imageOffsets = imageOffsets
    self.classCount = classCount
    var (foreground, highest): (Int, Int32) = (0, 0)
    for label in labels {
      if label > 0 { foreground += 1 }
      highest = max(highest, label)
    }
    precondition(Int(highest) <= classCount, "a label of \(highest) with \(classCount) classes")
    foregroundCount = foreground
  }

  public var anchorCount: Int { labels.count }
  public var imageCount: Int { imageOffsets.count - 1 }
}
