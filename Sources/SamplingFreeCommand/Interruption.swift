import Foundation
import Synchronization

/// Signals that ask a long command to end. It notices between two steps, so that nothing is lost; a second signal ends it at
/// once.
enum Interruption {
  /// The first signal received, and when, in nanoseconds.
  private static let received = Atomic<Int32>(0)
  private static let time = Atomic<UInt64>(0)
  /// Launchers may send the same twice: to a process and to its group.
  private static let repetition: UInt64 = 1_000_000_000

  /// Watches from now on. What the parent ignores, as `nohup` does, is ignored still; what it only has blocked, as threads of
  /// a pool do without meaning their children, is not.
  static func watch() {
    var watched = sigset_t()
    sigemptyset(&watched)
    defer { pthread_sigmask(SIG_UNBLOCK, &watched, nil) }
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE] {
      sigaddset(&watched, signal)
      var action = sigaction()
      sigaction(signal, nil, &action)
      guard unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) != unsafeBitCast(SIG_IGN, to: Int.self) else { continue }
      action = sigaction()
      action.__sigaction_handler.sa_handler = { Interruption.receive($0) }
      action.sa_flags = SA_RESTART
      sigaction(signal, &action, nil)
    }
  }

  /// Calls only what a signal handler may.
  private static func receive(_ signal: Int32) {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let nanoseconds = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    if received.compareExchange(expected: 0, desired: signal, ordering: .relaxed).exchanged {
      time.store(nanoseconds, ordering: .relaxed)
    } else if signal != SIGPIPE, nanoseconds - time.load(ordering: .relaxed) > repetition {
      Glibc.signal(signal, SIG_DFL)
      raise(signal)
    }
  }

  static var isAskedFor: Bool { received.load(ordering: .relaxed) != 0 }

  /// As a shell reports a command that a signal ended.
  static var status: Int32 {
    let signal = received.load(ordering: .relaxed)
    return 128 + (signal == 0 ? SIGTERM : signal)
  }
}
