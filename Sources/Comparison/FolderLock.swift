import Foundation

/// Keeps a second comparison out of a folder while one runs there. Goes with the value, or the process, however it ends.
final class FolderLock {
  private let file: Int32

  /// - Throws: `ComparisonError` where the folder is in use or cannot be written to.
  init(_ folder: String) throws {
    let path = "\(folder)/.lock"
    file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw ComparisonError("cannot write \(path): \(String(cString: strerror(errno)))") }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      let reason = errno
      close(file)
      throw ComparisonError(
        reason == EWOULDBLOCK
          ? "another comparison is running in \(folder)" : "cannot lock \(path): \(String(cString: strerror(reason)))")
    }
  }

  deinit {
    // By name: a process forked meanwhile may hold the file open a little longer.
    flock(file, LOCK_UN)
    close(file)
  }
}

/// Why a comparison cannot begin.
public struct ComparisonError: Error, CustomStringConvertible, Hashable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
