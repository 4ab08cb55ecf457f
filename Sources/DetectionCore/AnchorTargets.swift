/// What one image's anchors are trained towards.
public struct AnchorTargets: Hashable, Sendable {
  /// [anchors]: -1 ignored, 0 background, c >= 1 class c (class index + 1).
  public var labels: [Int32]
  /// [anchors]: best IoU with any box.
  public var overlaps: [Float]
  /// [anchors]: index of the box that a foreground anchor is matched with, -1 elsewhere.
  public var objects: [Int32]
  /// [anchors x 4]: encoded boxes, 0 off the foreground.
  public var boxTargets: [Float]
  /// Indexes of foreground anchors, ascending.
  public var foreground: [Int]

  /// - Parameter classIndexes: one a box, from 0.
  public init(anchors: [Box], boxes: [Box], classIndexes: [Int], matcher: Matcher, coder: BoxCoder) {
    let matches = matcher.match(anchors: anchors, boxes: boxes)
    overlaps = matches.overlaps
    labels = [Int32](repeating: 0, count: anchors.count)
    objects = [Int32](repeating: -1, count: anchors.count)
    boxTargets = [Float](repeating: 0, count: 4 * anchors.count)
    foreground = []
    for (anchor, match) in matches.boxIndexes.enumerated() {
      switch match {
      case AnchorMatches.background: continue
      case AnchorMatches.between: labels[anchor] = -1
      default:
        labels[anchor] = Int32(classIndexes[Int(match)] + 1)
        objects[anchor] = match
        foreground.append(anchor)
        let target = coder.encode(boxes[Int(match)], anchor: anchors[anchor])
        for i in 0..<4 { boxTargets[4 * anchor + i] = target[i] }
      }
    }
  }
}

extension TrainingStatistics {
  /// Counts one image's anchors and objects; ignored anchors (-1) stay out of N.
  /// - Parameter classIndexes: one an object, from 0.
  public mutating func add(labels: [Int32], classIndexes: [Int]) {
    imageCount += 1
    for classIndex in classIndexes { objectCounts[classIndex] += 1 }
    for classIndex in Set(classIndexes) { imageCounts[classIndex] += 1 }
    for label in labels where label >= 0 {
      anchorCount += 1
      if label > 0 { foregroundCounts[Int(label) - 1] += 1 }
    }
  }
}
