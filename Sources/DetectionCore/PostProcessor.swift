import Foundation

/// An object found.
public struct Detection: Hashable, Sendable, Codable {
  public var box: Box
  /// From 0.
  public var classIndex: Int
  /// Probability, 0...1.
  public var score: Float

  public init(box: Box, classIndex: Int, score: Float) {
    self.box = box
    self.classIndex = classIndex
    self.score = score
  }
}

/// From logits and deltas to detections: threshold, the best of each level, decoding, suppression within each class.
public struct PostProcessor: Hashable, Sendable {
  /// IoU above which the lower-scored of two boxes of a class is dropped.
  public var nmsThreshold: Float
  /// Elements (anchor and class) of a level that are decoded at most.
  public var candidatesPerLevel: Int
  public var maximumDetections: Int

  public init(nmsThreshold: Float = 0.5, candidatesPerLevel: Int = 1000, maximumDetections: Int = 100) {
    self.nmsThreshold = nmsThreshold
    self.candidatesPerLevel = candidatesPerLevel
    self.maximumDetections = maximumDetections
  }

  private struct Candidate {
    let logit: Float
    let element: Int
  }

  /// The detections of one image, by descending score.
  /// - Parameters:
  ///   - logits: [anchors x classes]; an element that is not a number is no detection.
  ///   - deltas: [anchors x 4].
  ///   - levelOffsets: where each level's anchors begin, and at the end their number.
  ///   - thresholds: one a class; scores must lie above.
  ///   - imageWidth: pixels; boxes are cut to the image, and dropped where nothing is left.
  public func detections(
    logits: UnsafeBufferPointer<Float>, deltas: UnsafeBufferPointer<Float>, anchors: [Box], levelOffsets: [Int],
    thresholds: [Float], coder: BoxCoder, imageWidth: Float, imageHeight: Float
  ) -> [Detection] {
    let classes = thresholds.count
    // Thresholds as logits, so that sigmoid is computed for survivors only.
    let bounds = thresholds.map { $0 <= 0 ? -Float.infinity : $0 >= 1 ? Float.infinity : log($0 / (1 - $0)) }
    var boxes = Array(repeating: [Box](), count: classes)
    var scores = Array(repeating: [Float](), count: classes)
    for (start, end) in zip(levelOffsets, levelOffsets.dropFirst()) {
      for candidate in best(of: logits, anchors: start..<end, classes: classes, bounds: bounds) {
        let (anchor, classIndex) = candidate.element.quotientAndRemainder(dividingBy: classes)
        let delta = SIMD4(deltas[4 * anchor], deltas[4 * anchor + 1], deltas[4 * anchor + 2], deltas[4 * anchor + 3])
        let decoded = coder.decode(delta, anchor: anchors[anchor])
        guard decoded.x1.isFinite, decoded.y1.isFinite, decoded.x2.isFinite, decoded.y2.isFinite else { continue }
        let box = decoded.clipped(width: imageWidth, height: imageHeight)
        guard box.area > 0 else { continue }
        boxes[classIndex].append(box)
        scores[classIndex].append(1 / (1 + exp(-candidate.logit)))
      }
    }
    var detections: [Detection] = []
    for classIndex in 0..<classes {
      for i in NonMaximumSuppression.keep(
        boxes: boxes[classIndex], scores: scores[classIndex], threshold: nmsThreshold, limit: maximumDetections)
      {
        detections.append(Detection(box: boxes[classIndex][i], classIndex: classIndex, score: scores[classIndex][i]))
      }
    }
    let order = detections.indices.sorted { (detections[$1].score, $0) < (detections[$0].score, $1) }
    return order.prefix(maximumDetections).map { detections[$0] }
  }

  /// The highest logits above their class's bound, at most `candidatesPerLevel`, by descending logit.
  private func best(
    of logits: UnsafeBufferPointer<Float>, anchors: Range<Int>, classes: Int, bounds: [Float]
  ) -> [Candidate] {
    var found: [Candidate] = []
    // Twice the bound fits; then the lower half is dropped and its best becomes the new floor.
    let capacity = max(1, 2 * candidatesPerLevel)
    var floor = -Float.infinity
    bounds.withUnsafeBufferPointer { bounds in
      for anchor in anchors {
        let start = anchor * classes
        for classIndex in 0..<classes {
          let logit = logits[start + classIndex]
          guard logit > bounds[classIndex], logit >= floor else { continue }
          found.append(Candidate(logit: logit, element: start + classIndex))
          if found.count == capacity {
            Self.keepBest(candidatesPerLevel, of: &found)
            floor = found.last?.logit ?? floor
          }
        }
      }
    }
    Self.keepBest(candidatesPerLevel, of: &found)
    return found
  }

  private static func keepBest(_ count: Int, of candidates: inout [Candidate]) {
    candidates.sort { ($1.logit, $0.element) < ($0.logit, $1.element) }
    candidates.removeLast(max(0, candidates.count - count))
  }
}
