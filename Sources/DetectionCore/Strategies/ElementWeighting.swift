/// A law of one's own, computed block by block inside the loss.
public protocol ElementWeighting: Sendable {
  /// Whether the gradient flows through the weights (Focal Loss) or they are taken as numbers (GHM).
  var carriesGradient: Bool { get }
  /// Fills in a block's weights, and its slopes if `carriesGradient`. Called from several threads at once.
  ///
  /// Plain loops over the block's buffers become vector instructions; anything that is not inlined does not.
  func weigh(_ block: WeightingBlock)
}

/// Some whole anchors' elements, small enough to stay in the first-level cache, in the order [anchors x classes].
public struct WeightingBlock: @unchecked Sendable {
  /// Indexes into the batch.
  public let anchors: Range<Int>
  public let classCount: Int
  /// [anchors of the block]: as in the batch. Ignored anchors' weights do not count.
  public let labels: UnsafeBufferPointer<Int32>
  /// |p - t|: for targets 0 the probability, for targets 1 what it lacks.
  public let errors: UnsafeBufferPointer<Float>
  /// Cross entropy of each element.
  public let losses: UnsafeBufferPointer<Float>
  /// To be filled, all of it, with 0 or more.
  public let weights: UnsafeMutableBufferPointer<Float>
  /// To be filled, all of it, if the weighting carries gradient: d weight / d error.
  public let slopes: UnsafeMutableBufferPointer<Float>

  /// The element of an anchor's own class; nil for background and ignored anchors.
  /// - Parameter anchor: from 0 in this block.
  @inlinable
  public func target(ofAnchor anchor: Int) -> Int? {
    let label = Int(labels[anchor])
    return label > 0 ? anchor * classCount + label - 1 : nil
  }
}
