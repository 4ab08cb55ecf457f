import COpenMPI
import DetectionCore
import Foundation
import Training

/// The processes that `mpirun` started, as Open MPI connects them. All calls come from one thread.
///
/// Errors of MPI itself end all processes, with Open MPI's message: no call returns one.
public final class MPIProcesses: ProcessGroup, @unchecked Sendable {
  public let rank: Int
  public let count: Int

  /// A sum under way: Open MPI takes the algorithm whose messages do not grow with the number of processes only where
  /// values and sums lie apart.
  private struct Pending {
    let values: UnsafeMutableBufferPointer<Float>
    let sums: UnsafeMutableBufferPointer<Float>
  }
  private var pending: [Pending] = []
  private var requests: [MPI_Request?] = []
  /// Memory for sums by size, used again.
  private var spare: [Int: [UnsafeMutableBufferPointer<Float>]] = [:]
  private var watchdog: Watchdog?

  /// Whether a launcher that Open MPI understands started this process together with others.
  public static var isLaunched: Bool {
    let environment = ProcessInfo.processInfo.environment
    if let size = environment["OMPI_COMM_WORLD_SIZE"] { return size != "1" }
    return environment["PMIX_RANK"] != nil
  }

  /// Joins the others; to be called once.
  /// - Parameter patience: how long a process waits for the others before it ends all of them.
  init(patience: Duration) {
    var granted: Int32 = 0
    MPI_Init_thread(nil, nil, Int32(MPI_THREAD_FUNNELED), &granted)
    var (rank, count): (Int32, Int32) = (0, 1)
    MPI_Comm_rank(openmpi_world(), &rank)
    MPI_Comm_size(openmpi_world(), &count)
    self.rank = Int(rank)
    self.count = Int(count)
    var peers = [Double](repeating: 0, count: 2 * self.count)
    (peers[2 * self.rank], peers[2 * self.rank + 1]) = (Double(Watchdog.machine), Double(getpid()))
    sum(&peers)
    watchdog = Watchdog(rank: self.rank, patience: patience, peers: (0..<self.count).map { (Int(peers[2 * $0]), Int32(peers[2 * $0 + 1])) })
  }

  deinit {
    for memory in spare.values.joined() { memory.deallocate() }
  }

  /// Runs `body` once in each of the processes that were started together; alone where none were.
  /// - Parameters:
  ///   - patience: how long a process waits for the others before it ends all of them, with status 1 and a message naming those
  ///     that are stopped or gone.
  ///   - failed: tells the user of an error. All processes end with status 1 after that.
  /// - Throws: `TrainingInterrupted`, which all processes do together; alone, whatever `body` throws.
  public static func run(
    patience: Duration = .seconds(600), _ body: (any ProcessGroup) throws -> Void, failed: (any Error, any ProcessGroup) -> Void
  ) throws {
    guard isLaunched else { return try body(SingleProcess()) }
    let processes = MPIProcesses(patience: patience)
    do {
      try body(processes)
    } catch let error as TrainingInterrupted {
      processes.waiting { _ = MPI_Finalize() }
      throw error
    } catch {
      // What is wrong everywhere, a configuration for instance, is said by the first alone: it ends the others.
      if processes.rank > 0 { sleep(1) }
      failed(error, processes)
      MPI_Abort(openmpi_world(), 1)
    }
    processes.waiting { _ = MPI_Finalize() }
  }

  /// Calls what returns when other processes have come as far.
  private func waiting(_ body: () -> Void) {
    watchdog?.begin()
    body()
    watchdog?.end()
  }

  public func sum(_ values: inout [Double]) {
    let count = Int32(values.count)
    waiting {
      values.withUnsafeMutableBytes {
        _ = MPI_Allreduce(openmpi_in_place(), $0.baseAddress, count, openmpi_double(), openmpi_sum(), openmpi_world())
      }
    }
  }

  public func beginSum(_ values: UnsafeMutableBufferPointer<Float>) {
    let sums = spare[values.count]?.popLast() ?? .allocate(capacity: values.count)
    var request: MPI_Request?
    MPI_Iallreduce(
      values.baseAddress, sums.baseAddress, Int32(values.count), openmpi_float(), openmpi_sum(), openmpi_world(), &request)
    pending.append(Pending(values: values, sums: sums))
    requests.append(request)
  }

  public func progress() {
    guard !requests.isEmpty else { return }
    var isDone: Int32 = 0
    MPI_Testall(Int32(requests.count), &requests, &isDone, openmpi_no_statuses())
  }

  public func finish() {
    waiting { _ = MPI_Waitall(Int32(requests.count), &requests, openmpi_no_statuses()) }
    for sum in pending {
      _ = sum.values.update(fromContentsOf: sum.sums)
      spare[sum.sums.count, default: []].append(sum.sums)
    }
    pending = []
    requests = []
  }
}
