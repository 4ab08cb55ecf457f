import DetectionCore

/// Processes that train one network together, each on its share of every mini-batch.
public protocol ProcessGroup: AllReduce {
  /// This process, 0..<count. The one of rank 0 writes files and speaks.
  var rank: Int { get }
  var count: Int { get }

  /// Begins to replace each value by its sum over all processes, the same bits in each. The values are neither to be read
  /// nor written until `finish` has returned.
  func beginSum(_ values: UnsafeMutableBufferPointer<Float>) throws
  /// Lets sums that were begun go on; returns at once.
  func progress() throws
  /// Returns when all sums that were begun are done.
  func finish() throws
}

extension SingleProcess: ProcessGroup {
  public var rank: Int { 0 }
  public var count: Int { 1 }
  public func beginSum(_ values: UnsafeMutableBufferPointer<Float>) {}
  public func progress() {}
  public func finish() {}
}

extension ProcessGroup {
  /// This process' share of `0..<total`: contiguous, in order of rank.
  func share(of total: Int) -> Range<Int> { total * rank / count..<total * (rank + 1) / count }

  /// Whether it holds in any of the processes; the same answer in all.
  func any(_ own: Bool) throws -> Bool {
    guard count > 1 else { return own }
    var votes = [own ? 1.0 : 0]
    try sum(&votes)
    return votes[0] > 0
  }

  /// The numbers of all processes in a row, by rank; each may have another count of them.
  func gathered(_ own: [Double]) throws -> [Double] {
    guard count > 1 else { return own }
    var sizes = [Double](repeating: 0, count: count)
    sizes[rank] = Double(own.count)
    try sum(&sizes)
    let start = Int(sizes[..<rank].reduce(0, +))
    var all = [Double](repeating: 0, count: Int(sizes.reduce(0, +)))
    all.replaceSubrange(start..<start + own.count, with: own)
    try sum(&all)
    return all
  }

  /// - Throws: `TrainingError` where another process has another number, in the name of what should be the same.
  func requireSame(_ what: String, _ number: UInt32) throws {
    var total = [Double(number)]
    try sum(&total)
    guard total[0] == Double(number) * Double(count) else {
      throw TrainingError("\(what) differ between the \(count) processes: do all machines read the same files?")
    }
  }
}
