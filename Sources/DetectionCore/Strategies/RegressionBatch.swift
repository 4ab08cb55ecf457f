/// A mini-batch (this process' share of it, all accumulated parts together) as a regression loss sees it. The buffers live as long as the step.
public struct RegressionBatch: @unchecked Sendable {
  /// [anchors x 4]: predicted, as the box coder encodes boxes.
  public let deltas: UnsafeBufferPointer<Float>
  /// [anchors x 4]: encoded boxes; only foreground anchors' count.
  public let targets: UnsafeBufferPointer<Float>
  /// Indexes of the anchors whose boxes are trained, ascending.
  public let foreground: [Int]
  /// For numbers that must be the same however the mini-batch is split over processes.
  public let processes: any AllReduce

  /// - Precondition: the buffers' sizes agree, and `foreground` stays within them.
  public init(
    deltas: UnsafeBufferPointer<Float>, targets: UnsafeBufferPointer<Float>, foreground: [Int],
    processes: any AllReduce = SingleProcess()
  ) {
    precondition(
      deltas.count == targets.count && deltas.count % 4 == 0 && (foreground.last ?? -1) < deltas.count / 4,
      "\(deltas.count) deltas, \(targets.count) targets and foreground anchors up to \(foreground.last ?? -1) do not agree")
    self.deltas = deltas
    self.targets = targets
    self.foreground = foreground
    self.processes = processes
  }

  /// Adds up `loss` over the foreground anchors' deltas.
  /// - Parameters:
  ///   - gradient: [anchors x 4], overwritten with the derivative of the sum, 0 off the foreground.
  ///   - loss: of one delta, from its difference to the target; and its derivative.
  @inlinable
  public func sum(
    gradient: UnsafeMutableBufferPointer<Float>, _ loss: (_ difference: Float) -> (value: Float, slope: Float)
  ) -> Double {
    gradient.update(repeating: 0)
    var sum = 0.0
    for anchor in foreground {
      for i in (4 * anchor)..<(4 * anchor + 4) {
        let (value, slope) = loss(deltas[i] - targets[i])
        sum += Double(value)
        gradient[i] = slope
      }
    }
    return sum
  }
}

/// The regression loss of a mini-batch or a part of it. Sums and normalisers of parts add up.
public struct RegressionLossValue: Hashable, Sendable {
  public var sum: Double
  /// What the sum is divided by, which takes at least 1.
  public var normalizer: Double

  public init(sum: Double, normalizer: Double) {
    self.sum = sum
    self.normalizer = normalizer
  }

  public var value: Double { sum / max(1, normalizer) }
}
