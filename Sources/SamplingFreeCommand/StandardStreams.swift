@preconcurrency import Glibc

enum StandardStreams {
  /// Takes the places of streams that the parent has closed: a file opened there would get what is printed.
  static func claim() {
    for descriptor in 0...2 as ClosedRange<Int32> where fcntl(descriptor, F_GETFD) < 0 {
      // For reading, so that printing fails as it should.
      open("/dev/null", O_RDONLY)
    }
  }

  /// Progress and messages: that nobody can read them ends nothing.
  static func say(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }

  /// Results: where they do not all get through, the command has failed.
  /// - Throws: `OutputError`, but for a reader that went away, which ends the command quietly.
  static func finish() throws {
    errno = 0
    guard fflush(stdout) != 0 || ferror(stdout) != 0 else { return }
    if errno == EPIPE { _exit(128 + SIGPIPE) }
    throw OutputError(description: "standard output: \(errno == 0 ? "cannot write" : String(cString: strerror(errno)))")
  }
}

struct OutputError: Error, CustomStringConvertible {
  let description: String
}
