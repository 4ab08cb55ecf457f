/// Sums over the processes that train one network together on parts of a mini-batch.
///
/// All processes make the same calls in the same order. An error in one of them must end the others too.
public protocol AllReduce: Sendable {
  /// Replaces each value by its sum over all processes, the same bits in each.
  func sum(_ values: inout [Double]) throws
}

/// A process that trains alone.
public struct SingleProcess: AllReduce {
  public init() {}
  public func sum(_ values: inout [Double]) {}
}
