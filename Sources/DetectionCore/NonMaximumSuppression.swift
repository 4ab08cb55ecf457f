/// Greedy non-maximum suppression: of boxes that overlap by more than the threshold only the highest-scored stays.
public enum NonMaximumSuppression {
  /// - Parameters:
  ///   - threshold: IoU; boxes that overlap by just this much both stay.
  ///   - limit: how many stay at most; the work is the number of boxes times this at worst.
  /// - Returns: indexes of what stays, by descending score, ties by ascending index.
  public static func keep(boxes: [Box], scores: [Float], threshold: Float, limit: Int = .max) -> [Int] {
    let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
    var kept: [Int] = []
    var keptBoxes: [Box] = []
    for index in order {
      if kept.count >= limit { break }
      let box = boxes[index]
      if keptBoxes.contains(where: { $0.iou(with: box) > threshold }) { continue }
      kept.append(index)
      keptBoxes.append(box)
    }
    return kept
  }
}
