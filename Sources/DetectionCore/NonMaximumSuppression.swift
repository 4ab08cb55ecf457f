/// Greedy non-maximum suppression: of boxes that overlap by more than the threshold only the highest-scored stays.
public enum NonMaximumSuppression {
  /// - Returns: indexes of what stays, by descending score, ties by ascending index.
  public static func keep(boxes: [Box], scores: [Float], threshold: Float) -> [Int] {
    let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
    var kept: [Int] = []
    for index in order where !kept.contains(where: { boxes[$0].iou(with: boxes[index]) > threshold }) {
      kept.append(index)
    }
    return kept
  }
}
