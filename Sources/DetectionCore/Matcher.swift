import CDetectionKernels

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
    let bestOfBox = Self.sweep(anchors, boxes, &overlaps, &best)
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

  /// Stores each anchor's largest IoU and the first box that has it; returns each box's largest.
  private static func sweep(
    _ anchors: [Box], _ boxes: [Box], _ overlaps: inout [Float], _ best: inout [Int32]
  ) -> [Float] {
    // Coordinate by coordinate, as vectors want them.
    let count = anchors.count
    let columns = [Float](unsafeUninitializedCapacity: 4 * count) { columns, initialized in
      for (i, anchor) in anchors.enumerated() {
        columns.initializeElement(at: i, to: anchor.x1)
        columns.initializeElement(at: count + i, to: anchor.y1)
        columns.initializeElement(at: 2 * count + i, to: anchor.x2)
        columns.initializeElement(at: 3 * count + i, to: anchor.y2)
      }
      initialized = 4 * count
    }
    let isa = best_instruction_set()
    return columns.withUnsafeBufferPointer { columns in
      guard let start = columns.baseAddress else { return Array(repeating: 0, count: boxes.count) }
      let rectangles = detection_rectangles(
        x1: start, y1: start + count, x2: start + 2 * count, y2: start + 3 * count)
      return overlaps.withUnsafeMutableBufferPointer { overlaps in
        best.withUnsafeMutableBufferPointer { best in
          boxes.enumerated().map { index, box in
            detection_match(
              isa, rectangles, count, [box.x1, box.y1, box.x2, box.y2], Int32(index), overlaps.baseAddress, best.baseAddress)
          }
        }
      }
    }
  }
}
