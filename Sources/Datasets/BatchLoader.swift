import DetectionCore
import Foundation
import Parallel

/// Endless batches of a data set, prepared ahead on threads of its own.
///
/// Each epoch visits every image once, in an order of its own; a batch may span two epochs. What the batch of a step
/// holds follows from `seed` and the step alone, so a loader that starts at `firstStep` goes on as one that started at 0
/// would, whatever `prefetch` and `threads` are.
///
/// Several processes may each load their share of every batch: together these are the batch of one process, image by
/// image, mirrored and padded alike.
public final class BatchLoader: Sendable {
  private let queue: BatchQueue

  /// - Parameters:
  ///   - batchSize: images of a batch, of this process' share.
  ///   - share: which of how many equal shares of each batch is this process' own.
  ///   - prefetch: how many batches are kept ready at most, at least 1.
  ///   - threads: how many batches are prepared at once, each by one thread.
  /// - Precondition: `batchSize` is positive and the data set is not empty.
  public init(
    dataset: any DetectionDataset, options: InputOptions, batchSize: Int, seed: UInt64, firstStep: Int = 0,
    share: (index: Int, count: Int) = (0, 1), prefetch: Int = 2, threads: Int = 2
  ) {
    precondition(batchSize > 0, "the batch size is positive")
    precondition(dataset.count > 0, "an empty data set makes no batches")
    let queue = BatchQueue(firstStep: firstStep, capacity: max(1, prefetch), workers: min(max(1, threads), max(1, prefetch)))
    self.queue = queue
    for _ in 0..<queue.workers {
      let thread = Thread {
        Parallel.setThreadCount(1)  // one batch a thread; the other cores are the network's
        // Where cores are short, the network's threads go first: a batch is not needed before its step. This thread's alone.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 5)
        queue.work { step in
          let indexes = Self.indexes(step: step, batchSize: share.count * batchSize, count: dataset.count, seed: seed)
          let own = share.index * batchSize..<(share.index + 1) * batchSize
          var generator = SeededGenerator(seed: seed, Self.augmentationStream, UInt64(step))
          for _ in 0..<own.lowerBound { _ = generator.next() }
          return Batch(
            samples: try indexes[own].map { try dataset.sample(at: $0, for: options) }, options: options, generator: &generator,
            others: share.count > 1 ? try indexes.map(dataset.header(at:)) : [])
        }
      }
      thread.start()
    }
  }

  deinit { queue.stop() }

  /// The batch of `firstStep`, then of `firstStep + 1`, and so on. Waits until it is ready.
  /// - Throws: what the data set threw for an image of this batch; the next call gives the batch after it.
  ///   `BatchLoaderError.stopped` after `stop()`.
  public func next() throws -> Batch { try queue.take() }

  /// Ends the threads and waits for them; calls of `next()` that are waiting throw.
  public func stop() { queue.stop() }

  /// The positions in the data set of the images of one step's batch.
  /// - Parameter count: the data set's size.
  public static func indexes(step: Int, batchSize: Int, count: Int, seed: UInt64) -> [Int] {
    var order: [Int] = []
    var orderEpoch = -1
    return (step * batchSize..<(step + 1) * batchSize).map { position in
      let epoch = position / count
      if epoch != orderEpoch {
        var generator = SeededGenerator(seed: seed, orderStream, UInt64(epoch))
        order = generator.permutation(of: count)
        orderEpoch = epoch
      }
      return order[position % count]
    }
  }

  private static let orderStream: UInt64 = 0
  private static let augmentationStream: UInt64 = 1
}

public enum BatchLoaderError: Error, Hashable, Sendable, CustomStringConvertible {
  case stopped

  public var description: String { "the batch loader was stopped: it gives no more batches" }
}

/// Results by step, between the threads that make them and the one that takes them.
///
/// Workers wait for room at a semaphore, the taker for results at a condition: were all to wait at one condition, a taker
/// whose batch is there could be held up by workers that the condition has woken and the system not yet run.
private final class BatchQueue: @unchecked Sendable {
  let workers: Int
  /// How many more batches may be begun.
  private let room: DispatchSemaphore
  /// Guards everything below.
  private let condition = NSCondition()
  private var stepToMake: Int
  private var stepToTake: Int
  private var ready: [Int: Result<Batch, any Error>] = [:]
  private var runningWorkers: Int
  private var isStopped = false

  init(firstStep: Int, capacity: Int, workers: Int) {
    self.workers = workers
    // A semaphore may not go with a smaller count than it began with.
    room = DispatchSemaphore(value: 0)
    for _ in 0..<capacity { room.signal() }
    stepToMake = firstStep
    stepToTake = firstStep
    runningWorkers = workers
  }

  /// A worker's life: makes batches while there is room, until stopped.
  func work(_ make: (Int) throws -> Batch) {
    while let step = begin() {
      let result = Result { try make(step) }
      condition.withLock {
        ready[step] = result
        condition.broadcast()
      }
    }
    condition.withLock {
      runningWorkers -= 1
      condition.broadcast()
    }
  }

  /// Waits for room.
  /// - Returns: the next step to make; nil when stopped.
  private func begin() -> Int? {
    room.wait()
    return condition.withLock {
      guard !isStopped else { return nil }
      defer { stepToMake += 1 }
      return stepToMake
    }
  }

  func take() throws -> Batch {
    defer { room.signal() }
    return try condition.withLock {
      let step = stepToTake
      stepToTake += 1
      while true {
        if isStopped { throw BatchLoaderError.stopped }
        if let result = ready.removeValue(forKey: step) { return try result.get() }
        condition.wait()
      }
    }
  }

  func stop() {
    condition.withLock {
      isStopped = true
      ready = [:]
      condition.broadcast()
    }
    for _ in 0..<workers { room.signal() }
    condition.withLock {
      while runningWorkers > 0 { condition.wait() }
    }
  }
}
