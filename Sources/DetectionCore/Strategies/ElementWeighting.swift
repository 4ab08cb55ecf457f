/// What each element of the classification loss weighs, decided for one mini-batch.
public protocol ElementWeighting: Sendable {
  /// Whether the weights depend on the logits and the gradient flows through them (Focal Loss), or are taken as
  /// numbers (GHM, hard sampling).
  var carriesGradient: Bool { get }
  /// What the sum of weighted losses is divided by.
  var normalizer: Double { get }
  /// How the weights come about. Forms other than `custom` run in one pass over the logits.
  var form: WeightingForm { get }
  /// Fills in a block's weights, and slopes if `carriesGradient`. Only called where `form` is `custom`, from several
  /// threads at once.
  func weigh(_ block: WeightingBlock)
}

extension ElementWeighting {
  public func weigh(_ block: WeightingBlock) {}
}

public enum WeightingForm: Sendable {
  /// Every element weighs 1.
  case uniform
  /// [anchors]: every class of an anchor weighs the same.
  case perAnchor([Float])
  /// alpha_t·(1 - p_t)^gamma (Lin et al. 2017, equation 5), alpha for targets 1 and 1 - alpha for targets 0.
  case focal(gamma: Float, positiveAlpha: Float, negativeAlpha: Float)
  /// `weigh` is asked, block by block.
  case custom
}

/// Some whole anchors' elements, small enough to stay in the first-level cache, in the order [anchors x classes].
public struct WeightingBlock: @unchecked Sendable {
  /// Indexes into the batch.
  public let anchors: Range<Int>
  public let classCount: Int
  /// [anchors of the block]: as in the batch. Ignored anchors' weights do not count.
  public let labels: UnsafeBufferPointer<Int32>
  /// sigmoid(logit).
  public let probabilities: UnsafeBufferPointer<Float>
  /// Cross entropy of each element.
  public let losses: UnsafeBufferPointer<Float>
  /// To be filled.
  public let weights: UnsafeMutableBufferPointer<Float>
  /// To be filled if the weighting carries gradient: d weight / d logit. Zero at first.
  public let slopes: UnsafeMutableBufferPointer<Float>

  /// Whether the element's class is its anchor's.
  @inlinable
  public func isTarget(anchor: Int, class classIndex: Int) -> Bool { Int(labels[anchor]) == classIndex + 1 }
}
