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
    // Thresholds as logits, so that sigmoid is computed for survivors only.
    let bounds = thresholds.map { $0 <= 0 ? -Float.infinity : $0 >= 1 ? Float.infinity : log($0 / (1 - $0)) }
    let selection = CandidateSelection(bounds: bounds, limit: candidatesPerLevel)
    let candidates = zip(levelOffsets, levelOffsets.dropFirst()).flatMap { selection.best(of: logits, anchors: $0..<$1) }
    var kept = Array(repeating: [Box](), count: thresholds.count)
    var detections: [Detection] = []
    for candidate in Self.byScore(candidates, classes: thresholds.count) {
      if detections.count >= maximumDetections { break }
      let (anchor, classIndex) = candidate.element.quotientAndRemainder(dividingBy: thresholds.count)
      let delta = SIMD4(deltas[4 * anchor], deltas[4 * anchor + 1], deltas[4 * anchor + 2], deltas[4 * anchor + 3])
      let decoded = coder.decode(delta, anchor: anchors[anchor])
      guard decoded.x1.isFinite, decoded.y1.isFinite, decoded.x2.isFinite, decoded.y2.isFinite else { continue }
      let box = decoded.clipped(width: imageWidth, height: imageHeight)
      guard box.area > 0, !kept[classIndex].contains(where: { $0.iou(with: box) > nmsThreshold }) else { continue }
      kept[classIndex].append(box)
      detections.append(Detection(box: box, classIndex: classIndex, score: candidate.score))
    }
    return detections
  }

  private struct Scored {
    let score: Float
    let element: Int
  }

  /// By descending score, equal ones by ascending class, and those by their order. As suppression stays within a class,
  /// it may run over all classes in this order and stop when enough are found.
  private static func byScore(_ candidates: [CandidateSelection.Candidate], classes: Int) -> [Scored] {
    let scored = candidates.map { Scored(score: 1 / (1 + exp(-$0.logit)), element: $0.element) }
    var next = Array(repeating: 0, count: classes + 1)
    for candidate in scored { next[candidate.element % classes + 1] += 1 }
    for classIndex in 0..<classes { next[classIndex + 1] += next[classIndex] }
    var byClass = scored
    for candidate in scored {
      byClass[next[candidate.element % classes]] = candidate
      next[candidate.element % classes] += 1
    }
    // A positive number's bits are ordered as it is.
    let keys = byClass.enumerated().map { UInt64($1.score.bitPattern) << 32 | UInt64(UInt32.max - UInt32($0)) }
    return keys.sorted(by: >).map { byClass[Int(UInt32.max - UInt32(truncatingIfNeeded: $0))] }
  }
}
