import Foundation
import Synchronization

/// A thread that ends this process, and with it all that `mpirun` started, where others keep it waiting too long: Open MPI
/// notices a process that is gone, not one that hangs.
final class Watchdog: Sendable {
  private let rank: Int
  private let patience: Double
  private let peers: [(machine: Int, process: Int32)]
  /// When waiting began, nanoseconds; 0 while nothing is waited for.
  private let start = Atomic<UInt64>(0)

  /// - Parameter peers: by rank.
  init(rank: Int, patience: Duration, peers: [(machine: Int, process: Int32)]) {
    self.rank = rank
    self.peers = peers
    // One speaks for all: the first of those that wait.
    self.patience = Double(patience.components.seconds) + 0.5 * Double(min(rank, 20))
    Thread { [weak self] in
      while true {
        usleep(200_000)
        guard let self else { return }
        self.check()
      }
    }.start()
  }

  func begin() { start.store(Self.now, ordering: .relaxed) }
  func end() { start.store(0, ordering: .relaxed) }

  private func check() {
    let start = start.load(ordering: .relaxed)
    let seconds = Double(Self.now - start) * 1e-9
    guard start > 0, seconds > patience else { return }
    let text = "rank \(rank) of \(peers.count): Error: waited \(Int(seconds)) s for \(missing): all processes end\n"
    FileHandle.standardError.write(Data(text.utf8))
    _exit(1)
  }

  /// `rank 1 (process 4711, which is stopped)`; where none of this machine is known not to run, all others.
  private var missing: String {
    let others = peers.indices.filter { $0 != rank }
    let found = others.compactMap { other in
      peers[other].machine == Self.machine ? Self.state(of: peers[other].process).map { (other, $0) } : nil
    }
    if !found.isEmpty {
      return found.map { "rank \($0) (process \(peers[$0].process), which \($1))" }.joined(separator: ", ")
    }
    return (others.count > 1 ? "one of " : "") + others.map { "rank \($0)" }.joined(separator: ", ")
  }

  /// Why a process of this machine cannot answer; nil where it could.
  private static func state(of process: Int32) -> String? {
    guard let text = FileManager.default.contents(atPath: "/proc/\(process)/stat"), let end = text.lastIndex(of: UInt8(ascii: ")")),
      text.count > end + 2
    else { return "is gone" }
    switch text[end + 2] {
    case UInt8(ascii: "T"), UInt8(ascii: "t"): return "is stopped"
    case UInt8(ascii: "Z"), UInt8(ascii: "X"): return "is gone"
    case UInt8(ascii: "D"): return "waits for a disk"
    default: return nil
    }
  }

  /// A number for this machine that a `Double` holds.
  static let machine: Int = {
    let name = ProcessInfo.processInfo.hostName
    return Int(name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } >> 12)
  }()

  private static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }
}
