import Foundation
import TestSupport

/// A command under way, for tests that interrupt it.
final class RunningCommand {
  let process: Process
  private let file: String

  /// - Parameter ranks: see `Command.process`.
  init(_ arguments: [String], in directory: TemporaryDirectory, ranks: Int? = nil) throws {
    process = Command.process(arguments, in: directory.path, ranks: ranks)
    file = directory.file(".messages-\(UUID().uuidString)")
    try Data().write(to: URL(fileURLWithPath: file))
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
    // Tests run on threads of a pool, which block all signals; launchers wait for their children's.
    var (none, own) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &own)
    defer { pthread_sigmask(SIG_SETMASK, &own, nil) }
    try process.run()
  }

  deinit {
    if process.isRunning { send(SIGKILL) }
    try? FileManager.default.removeItem(atPath: file)
  }

  /// Standard error so far.
  var messages: String { (try? String(contentsOfFile: file, encoding: .utf8)) ?? "" }

  /// Returns when the command has said something, or is over.
  func wait(for text: String) {
    while process.isRunning, !messages.contains(text) { usleep(2000) }
  }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// - Returns: the exit status; where a signal ended it, 1000 and the signal's number.
  func finish() -> Int32 {
    process.waitUntilExit()
    return process.terminationReason == .exit ? process.terminationStatus : 1000 + process.terminationStatus
  }
}
