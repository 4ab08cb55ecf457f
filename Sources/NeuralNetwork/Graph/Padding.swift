/// What a window reads beyond the edges of its input: zeros for a convolution, nothing for a maximum.
public enum Padding: Hashable, Sendable, ExpressibleByIntegerLiteral {
  /// As many on either side, as PyTorch pads.
  case symmetric(Int)
  /// As many as ⌈extent / stride⌉ results need, as TensorFlow's "same" pads: an odd one comes last.
  case same

  public init(integerLiteral value: Int) { self = .symmetric(value) }
}

/// A square window that moves over an input, in a convolution or a pooling.
struct Window: Hashable, Sendable {
  var kernel: Int
  var stride: Int
  var padding: Padding

  /// How many results an axis of this extent gives; none or fewer where the window does not fit.
  func resultCount(_ extent: Int) -> Int {
    switch padding {
    case .symmetric(let margin): extent + 2 * margin < kernel ? 0 : (extent + 2 * margin - kernel) / stride + 1
    case .same: (extent + stride - 1) / stride
    }
  }

  /// What is put in front of an axis and behind it.
  func margins(_ extent: Int) -> (before: Int, after: Int) {
    switch padding {
    case .symmetric(let margin): return (margin, margin)
    case .same:
      let total = max(0, (resultCount(extent) - 1) * stride + kernel - extent)
      return (total / 2, total - total / 2)
    }
  }
}
