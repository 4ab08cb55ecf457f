import DetectionCore
import NeuralNetwork

/// A network's gradients in pieces of a good size for a message, those that the backward pass finishes first in front.
struct GradientBuckets {
  struct Bucket {
    var range: Range<Int>
    var parameterCount: Int
  }

  let buckets: [Bucket]
  /// By where a parameter's range begins.
  let indexes: [Int: Int]

  /// 4 MB, less for networks that would have only a few of them: what is begun last cannot be hidden.
  static func size(of total: Int) -> Int { max(1 << 14, min(1 << 20, total / 8)) }

  /// - Parameter size: values of a bucket at least, but for the last. Gradients that nobody trains, which lie between
  ///   others, come along.
  init(_ parameters: Parameters, size: Int? = nil) {
    let size = size ?? Self.size(of: parameters.gradients.count)
    var (buckets, indexes): ([Bucket], [Int: Int]) = ([], [:])
    for range in parameters.entries.reversed().filter(\.declaration.isTrainable).map(\.range) {
      if let last = buckets.last, last.range.count < size {
        buckets[buckets.count - 1] = Bucket(
          range: range.lowerBound..<last.range.upperBound, parameterCount: last.parameterCount + 1)
      } else {
        buckets.append(Bucket(range: range, parameterCount: 1))
      }
      indexes[range.lowerBound] = buckets.count - 1
    }
    self.buckets = buckets
    self.indexes = indexes
  }
}

/// Adds up the gradients of all processes, each bucket from the moment on that a backward pass has finished it.
struct GradientExchange {
  private let plan: GradientBuckets
  private let gradients: UnsafeMutableBufferPointer<Float>
  private let processes: any ProcessGroup
  private var missing: [Int]
  /// Buckets are begun in order, as all processes must begin the same.
  private var next = 0

  init(_ plan: GradientBuckets, parameters: Parameters, processes: any ProcessGroup) {
    self.plan = plan
    gradients = parameters.gradients
    self.processes = processes
    missing = plan.buckets.map(\.parameterCount)
  }

  /// To be called after every step of the backward pass.
  /// - Parameter finished: parameters' ranges.
  mutating func didStep(_ finished: [Range<Int>]) throws {
    for range in finished {
      if let bucket = plan.indexes[range.lowerBound] { missing[bucket] -= 1 }
    }
    while next < missing.count, missing[next] == 0 { try begin() }
    try processes.progress()
  }

  /// Waits until all gradients are sums.
  mutating func finish() throws {
    while next < missing.count { try begin() }
    try processes.finish()
  }

  private mutating func begin() throws {
    try processes.beginSum(UnsafeMutableBufferPointer(rebasing: gradients[plan.buckets[next].range]))
    next += 1
  }
}
