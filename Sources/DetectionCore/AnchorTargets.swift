/// What one image's anchors are trained towards.
public struct AnchorTargets: Hashable, Sendable {
  /// [anchors]: -1 ignored, 0 background, c >= 1 class c (class index + 1).
  public var labels: [Int32]
  /// [anchors]: best IoU with any box.
  public var overlaps: [Float]
  /// [anchors x 4]: encoded boxes, 0 off the foreground.
  public var boxTargets: [Float]
  /// Indexes of foreground anchors, ascending.
  public var foreground: [Int]

  /// - Parameter classIndexes: one a box, from 0.
  public init(anchors: [Box], boxes: [Box], classIndexes: [Int], matcher: Matcher, coder: BoxCoder) {
    let matches = matcher.match(anchors: anchors, boxes: boxes)
    overlaps = matches.overlaps
    labels = [Int32](repeating: 0, count: anchors.count)
    boxTargets = [Float](repeating: 0, count: 4 * anchors.count)
    foreground = []
    for (anchor, match) in matches.boxIndexes.enumerated() {
      switch match {
      case AnchorMatches.background: continue
      case AnchorMatches.between: labels[anchor] = -1
      default:
        labels[anchor] = Int32(classIndexes[Int(match)] + 1)
        foreground.append(anchor)
        let target = coder.encode(boxes[Int(match)], anchor: anchors[anchor])
        for i in 0..<4 { boxTargets[4 * anchor + i] = target[i] }
      }
    }
  }
}

extension TrainingStatistics {
  /// Counts one image's anchors; ignored ones (-1) stay out of N.
  public mutating func add(labels: [Int32]) {
    imageCount += 1
    for label in labels where label >= 0 {
      anchorCount += 1
      if label > 0 { foregroundCounts[Int(label) - 1] += 1 }
    }
  }
}
