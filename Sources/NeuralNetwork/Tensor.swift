/// A dense array of 32-bit floats in C (row-major) order: how parameters enter and leave the engine.
public struct Tensor: Hashable, Sendable {
  /// Extents, outermost first; [] is a scalar.
  public let shape: [Int]
  /// `shape`'s product of values.
  public var values: [Float]

  /// - Precondition: `values.count` is the product of `shape`.
  public init(shape: [Int], values: [Float]) {
    precondition(shape.reduce(1, *) == values.count, "shape \(shape) does not hold \(values.count) values")
    self.shape = shape
    self.values = values
  }

  public init(shape: [Int], repeating value: Float = 0) {
    self.init(shape: shape, values: Array(repeating: value, count: shape.reduce(1, *)))
  }

  public var count: Int { values.count }
}
