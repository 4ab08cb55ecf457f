/// A mini-batch (this process' share of it, all accumulated parts together) as a sampler sees it: all images' anchors in a
/// row. The buffers live as long as the step.
public struct ClassificationBatch: @unchecked Sendable {
  /// [anchors x classes].
  public let logits: UnsafeBufferPointer<Float>
  /// [anchors]: -1 ignored, 0 background, c >= 1 class c.
  public let labels: UnsafeBufferPointer<Int32>
  /// [anchors]: best IoU with any box.
  public let overlaps: UnsafeBufferPointer<Float>
  /// [anchors]: which of its image's objects a foreground anchor is matched with. Empty where it is not known.
  public let objects: UnsafeBufferPointer<Int32>
  /// Where each image's anchors begin, and at the end their number.
  public let imageOffsets: [Int]
  public let classCount: Int
  public let foregroundCount: Int
  /// [images]: the number of each in the mini-batch of all processes.
  public let imageNumbers: [Int]
  /// Counts over all training samples; nil where they were not counted.
  public let statistics: TrainingStatistics?
  /// For numbers that must be the same however the mini-batch is split over processes.
  public let processes: any AllReduce
  private let boxQualities: (() throws -> [Float])?

  /// - Parameters:
  ///   - imageNumbers: from 0 on unless given.
  ///   - qualities: gives [anchors]: the IoU of each foreground anchor's predicted box with its object's box, 0 elsewhere.
  ///     Called only if a sampler asks.
  /// - Precondition: the buffers' sizes agree, and no label is above `classCount`.
  public init(
    logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>, overlaps: UnsafeBufferPointer<Float>,
    objects: UnsafeBufferPointer<Int32> = UnsafeBufferPointer(start: nil, count: 0), imageOffsets: [Int],
    classCount: Int, statistics: TrainingStatistics? = nil, processes: any AllReduce = SingleProcess(),
    imageNumbers: [Int]? = nil, qualities: (() throws -> [Float])? = nil
  ) {
    precondition(
      logits.count == labels.count * classCount && overlaps.count == labels.count && imageOffsets.last == labels.count
        && (objects.isEmpty || objects.count == labels.count) && imageNumbers?.count ?? imageOffsets.count - 1 == imageOffsets.count - 1,
      "\(logits.count) logits, \(labels.count) labels, \(overlaps.count) overlaps, \(objects.count) objects, \(classCount) classes do not agree")
    self.logits = logits
    self.labels = labels
    self.overlaps = overlaps
    self.objects = objects
    self.imageOffsets = imageOffsets
    self.classCount = classCount
    self.statistics = statistics
    self.processes = processes
    self.imageNumbers = imageNumbers ?? Array(0..<imageOffsets.count - 1)
    boxQualities = qualities
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

  /// [anchors]: the IoU of each foreground anchor's predicted box with its object's box, 0 elsewhere.
  /// - Throws: `StrategyError` where the predicted boxes are not known.
  public func qualities() throws -> [Float] {
    guard let boxQualities else {
      throw StrategyError("this mini-batch has no predicted boxes, which a loss with soft targets needs")
    }
    return try boxQualities()
  }
}
