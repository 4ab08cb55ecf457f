import COpenMP
import Synchronization

/// Loops over index ranges on all cores, on the threads of the OpenMP run time that oneDNN uses too.
public enum Parallel {
  /// How many threads a parallel loop may use (`OMP_NUM_THREADS`, or the number of cores).
  public static var threadCount: Int { max(1, Int(omp_get_max_threads())) }

  /// Limits the loops that the calling thread starts from now on, oneDNN's included.
  public static func setThreadCount(_ count: Int) { omp_set_num_threads(Int32(max(1, count))) }

  /// Splits `0..<count` into at most `threadCount` contiguous ranges and runs `body` on each, in parallel.
  ///
  /// The split depends on `count`, `minimumChunk` and the thread count only, so that sums gathered by chunk are the
  /// same from run to run. Returns when all are done.
  /// - Parameters:
  ///   - minimumChunk: the smallest range worth a thread of its own.
  ///   - body: called with the chunk's number and range. Must not touch what another chunk writes.
  public static func forChunks(
    of count: Int, minimumChunk: Int = 1, _ body: (_ chunk: Int, _ range: Range<Int>) -> Void
  ) {
    let chunks = chunkCount(of: count, minimumChunk: minimumChunk)
    guard chunks > 0 else { return }
    if chunks == 1 { return body(0, 0..<count) }
    withoutActuallyEscaping(body) { body in
      var job = Job(body: body, count: count, chunks: chunks)
      withUnsafeMutablePointer(to: &job) { pointer in
        pointer.pointee.begun.store(true, ordering: .releasing)
        GOMP_parallel(
          { raw in
            let job = raw!.assumingMemoryBound(to: Job.self)
            _ = job.pointee.begun.load(ordering: .acquiring)
            let count = job.pointee.count
            let chunks = job.pointee.chunks
            // A nested or limited team may be smaller than asked for: each thread takes every n-th chunk.
            let team = Int(omp_get_num_threads())
            var chunk = Int(omp_get_thread_num())
            while chunk < chunks {
              job.pointee.body(chunk, (count * chunk / chunks)..<(count * (chunk + 1) / chunks))
              chunk += team
            }
            job.pointee.ended.add(1, ordering: .releasing)
          }, pointer, UInt32(chunks), 0)
        _ = pointer.pointee.ended.load(ordering: .acquiring)
      }
    }
  }

  /// Runs `body` for each of `0..<count`, in parallel, the next one whenever a thread is free: for works of different
  /// sizes. Returns when all are done.
  /// - Parameter body: must not touch what another one writes.
  public static func forEach(of count: Int, _ body: (Int) -> Void) {
    let next = Atomic(0)
    forChunks(of: min(count, threadCount)) { _, _ in
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        if index >= count { return }
        body(index)
      }
    }
  }

  /// How many chunks `forChunks` makes of `count`: the size of an array of partial results.
  public static func chunkCount(of count: Int, minimumChunk: Int = 1) -> Int {
    count <= 0 ? 0 : max(1, min(threadCount, count / max(1, minimumChunk)))
  }
}

private struct Job: ~Copyable {
  /// That the threads see what came before the loop, and what comes after it sees what they did, is libgomp's doing;
  /// these two say so to ThreadSanitizer, which does not know libgomp.
  let begun = Atomic(false)
  let ended = Atomic(0)
  let body: (Int, Range<Int>) -> Void
  let count: Int
  let chunks: Int
}
