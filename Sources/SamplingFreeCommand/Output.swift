import Foundation

/// Why standard output took no more: a full disk, for one.
struct OutputError: Error, CustomStringConvertible {
  let description: String

  /// - Parameter error: `errno`.
  init(_ error: Int32) { description = "standard output: \(String(cString: strerror(error)))" }
}

/// Prints a line to standard output. Swift's `print` would not tell where that fails.
/// - Throws: `OutputError`, but for a reader that went away, which ends the command quietly.
func printOut(_ text: String) throws {
  let error = write("\(text)\n", to: STDOUT_FILENO)
  if error == EPIPE { _exit(128 + SIGPIPE) }
  if error != 0 { throw OutputError(error) }
}

/// Prints a line to standard error. Where that fails there is nobody to tell.
func printError(_ text: String, terminator: String = "\n") { _ = write("\(text)\(terminator)", to: STDERR_FILENO) }

/// - Returns: the system's number of what failed, or 0.
private func write(_ text: String, to descriptor: Int32) -> Int32 {
  var text = text
  return text.withUTF8 { bytes in
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return errno }
      done += count
    }
    return 0
  }
}
