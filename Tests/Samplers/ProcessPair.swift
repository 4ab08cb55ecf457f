import DetectionCore
import Foundation

/// Two threads that stand for two processes.
final class ProcessPair: AllReduce, @unchecked Sendable {
  private let condition = NSCondition()
  private var pending: [Double]?
  private var result: [Double] = []
  private var rounds = 0

  func sum(_ values: inout [Double]) {
    condition.lock()
    defer { condition.unlock() }
    if let other = pending {
      result = zip(other, values).map(+)
      pending = nil
      rounds += 1
      condition.broadcast()
    } else {
      let round = rounds
      pending = values
      while rounds == round { condition.wait() }
    }
    values = result
  }

  /// - Returns: what the two came to.
  static func run<T>(_ body: @escaping @Sendable (_ rank: Int, any AllReduce) throws -> T) throws -> [T] {
    let pair = ProcessPair()
    nonisolated(unsafe) var results = [Result<T, any Error>?](repeating: nil, count: 2)
    let lock = NSLock(), done = DispatchGroup()
    for rank in 0..<2 {
      done.enter()
      Thread.detachNewThread {
        let result = Result { try body(rank, pair) }
        lock.withLock { results[rank] = result }
        done.leave()
      }
    }
    done.wait()
    return try results.compactMap { try $0?.get() }
  }
}
