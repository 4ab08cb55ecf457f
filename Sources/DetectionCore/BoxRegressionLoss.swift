import Foundation

/// The loss of box deltas on foreground anchors.
public enum BoxRegressionLoss: Hashable, Sendable {
  /// 0.5·x²/beta where |x| < beta, else |x| - beta/2 (Girshick 2015; beta 1/9 in Detectron's RetinaNet).
  case smoothL1(beta: Float)
  case l1

  /// - Parameters:
  ///   - deltas: [anchors x 4].
  ///   - targets: [anchors x 4].
  ///   - foreground: indexes of the anchors that count.
  ///   - gradient: [anchors x 4], overwritten with the derivative of the sum, 0 off the foreground.
  /// - Returns: the sum over foreground anchors and their four deltas.
  public func evaluate(
    deltas: UnsafeBufferPointer<Float>, targets: UnsafeBufferPointer<Float>, foreground: [Int],
    gradient: UnsafeMutableBufferPointer<Float>
  ) -> Double {
    let beta: Float = if case .smoothL1(let beta) = self { beta } else { 0 }
    gradient.update(repeating: 0)
    var sum = 0.0
    for anchor in foreground {
      for i in (4 * anchor)..<(4 * anchor + 4) {
        let difference = deltas[i] - targets[i]
        let size = abs(difference)
        if size < beta {
          sum += Double(0.5 * difference * difference / beta)
          gradient[i] = difference / beta
        } else {
          sum += Double(size - 0.5 * beta)
          gradient[i] = difference > 0 ? 1 : difference < 0 ? -1 : difference  // 0, or not a number
        }
      }
    }
    return sum
  }
}
