import Foundation

/// Why a file cannot be read or written. Errors of this package wrap it with what the file is for.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible, LocalizedError {
  public var path: String
  /// "No such file or directory", "is a FIFO, not an ordinary file"
  public var reason: String

  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  /// What `errno` says, with what was tried.
  init(path: String, failing attempt: String? = nil) {
    let message = String(cString: strerror(errno))
    self.init(path: path, reason: attempt.map { "\($0): \(message)" } ?? message)
  }

  public var description: String { "\(path): \(reason)" }
  public var errorDescription: String? { reason }
}
