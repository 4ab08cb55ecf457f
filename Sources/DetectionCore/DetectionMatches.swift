/// What detections of a set of images found: for each class the scores of its detections and whether each found an object.
public struct DetectionMatches: Hashable, Sendable {
  public struct Found: Hashable, Sendable {
    public var score: Float
    /// Whether it is the detection that found some object.
    public var isCorrect: Bool

    public init(score: Float, isCorrect: Bool) {
      self.score = score
      self.isCorrect = isCorrect
    }
  }

  /// [classes]: in no particular order.
  public private(set) var found: [[Found]]
  /// [classes]: objects that could be found.
  public private(set) var objectCounts: [Int]

  public init(classCount: Int) {
    found = Array(repeating: [], count: classCount)
    objectCounts = Array(repeating: 0, count: classCount)
  }

  public init(found: [[Found]], objectCounts: [Int]) {
    precondition(found.count == objectCounts.count, "\(found.count) and \(objectCounts.count) classes")
    self.found = found
    self.objectCounts = objectCounts
  }

  /// Adds an image: by descending score, each detection is held against the object of its class that it overlaps most; it
  /// is correct if it is the first to find that object, as PASCAL VOC counts (Everingham et al. 2010, section 4.2). COCO
  /// would let a duplicate have the next best object.
  /// - Parameters:
  ///   - ignored: regions (crowds) in which detections of the class that found nothing do not count; half of the
  ///     detection must lie inside.
  ///   - overlap: IoU from which on an object counts as found.
  public mutating func add(
    _ detections: [Detection], objects: [(box: Box, classIndex: Int)], ignored: [(box: Box, classIndex: Int)] = [],
    overlap: Float = 0.5
  ) {
    for object in objects { objectCounts[object.classIndex] += 1 }
    var isFree = Array(repeating: true, count: objects.count)
    let order = detections.indices.sorted { (detections[$1].score, $0) < (detections[$0].score, $1) }
    for detection in order.map({ detections[$0] }) {
      var best: (index: Int, overlap: Float)?
      for (index, object) in objects.enumerated() where object.classIndex == detection.classIndex {
        let iou = object.box.iou(with: detection.box)
        if iou >= overlap, iou > best?.overlap ?? -1 { best = (index, iou) }
      }
      let isCorrect = best.map { isFree[$0.index] } ?? false
      if let best { isFree[best.index] = false }
      let isIgnored = ignored.contains {
        $0.classIndex == detection.classIndex
          && $0.box.intersectionArea(with: detection.box) >= 0.5 * detection.box.area
      }
      if !isCorrect && isIgnored { continue }
      found[detection.classIndex].append(Found(score: detection.score, isCorrect: isCorrect))
    }
  }
}
