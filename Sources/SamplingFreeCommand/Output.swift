import Foundation

/// Why standard output took no more: a full disk, for one.
struct OutputError: Error, CustomStringConvertible {
  let description: String
}

/// Prints a line to standard output. Swift's `print` would not tell where that fails.
/// - Throws: `OutputError`.
func printOut(_ text: String) throws {
  if let error = write("\(text)\n", to: STDOUT_FILENO) { throw OutputError(description: "standard output: cannot be written: \(error)") }
}

/// Prints a line to standard error. Where that fails there is nobody to tell.
func printError(_ text: String, terminator: String = "\n") { _ = write("\(text)\(terminator)", to: STDERR_FILENO) }

/// - Returns: the system's words for what failed.
private func write(_ text: String, to descriptor: Int32) -> String? {
  var text = text
  return text.withUTF8 { bytes in
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return String(cString: strerror(errno)) }
      done += count
    }
    return nil
  }
}
