/// What each anchor is matched with.
public struct AnchorMatches: Hashable, Sendable {
  /// [anchors]: the box's index, `background` or `between`.
  public var boxIndexes: [Int32]
  /// [anchors]: the largest IoU with any box, 0 where there is none.
  public var overlaps: [Float]

  public static let background: Int32 = -1
  /// Between the two thresholds: neither trained as foreground nor as background.
  public static let between: Int32 = -2
}

/// Assigns each anchor the box with which it has the largest IoU, or the background (Ren et al. 2015, section 3.1.2).
public struct Matcher: Hashable, Sendable {
  /// IoU from which on an anchor is foreground.
  public var foregroundThreshold: Float
  /// IoU below which an anchor is background.
  public var backgroundThreshold: Float
  /// Whether a box's best anchors (all that tie) are foreground whatever their IoU, so that no box goes without.
  public var allowsLowQualityMatches: Bool

  public init(foregroundThreshold: Float = 0.5, backgroundThreshold: Float = 0.4, allowsLowQualityMatches: Bool = true) {
    self.foregroundThreshold = foregroundThreshold
    self.backgroundThreshold = backgroundThreshold
    self.allowsLowQualityMatches = allowsLowQualityMatches
  }

  /// As torchvision's `Matcher`; of several boxes with an anchor's largest IoU the first is taken.
  public func match(anchors: [Box], boxes: [Box]) -> AnchorMatches {
    var overlaps = [Float](repeating: 0, count: anchors.count)
    var best = [Int32](repeating: 0, count: anchors.count)
    var bestOfBox = [Float](repeating: 0, count: boxes.count)
    anchors.withUnsafeBufferPointer { anchors in
      for (index, box) in boxes.enumerated() {
        let boxArea = box.area
        var largest: Float = 0
        for i in anchors.indices {
          let intersection = box.intersectionArea(with: anchors[i])
          guard intersection > 0 else { continue }
          let iou = intersection / (boxArea + anchors[i].area - intersection)
          largest = max(largest, iou)
          if iou > overlaps[i] {
            overlaps[i] = iou
            best[i] = Int32(index)
          }
        }
        bestOfBox[index] = largest
      }
    }
    var indexes = [Int32](repeating: AnchorMatches.background, count: anchors.count)
    for i in anchors.indices where overlaps[i] >= backgroundThreshold {
      indexes[i] = overlaps[i] >= foregroundThreshold ? best[i] : AnchorMatches.between
    }
    if allowsLowQualityMatches {
      for (box, largest) in zip(boxes, bestOfBox) where largest > 0 {
        let boxArea = box.area
        for i in anchors.indices where overlaps[i] >= largest && indexes[i] < 0 {
          let intersection = box.intersectionArea(with: anchors[i])
          if intersection > 0, intersection / (boxArea + anchors[i].area - intersection) == largest { indexes[i] = best[i] }
        }
      }
    }
    return AnchorMatches(boxIndexes: indexes, overlaps: overlaps)
  }
}
