import Foundation

/// A file being written, `NAME.SUFFIX.temporary` beside the file that it is to become. Its writer holds a lock on it, which
/// goes with the process, however that ends: so whoever comes later knows which are left over, on any machine that shares
/// the folder.
final class TemporaryFile {
  let path: String
  /// Open for reading and writing.
  let descriptor: Int32
  private var isThere = true

  /// Creates an empty file.
  /// - Parameter name: the path that errors name.
  init(beside target: String, for name: String) throws(FileError) {
    for _ in 0..<100 {
      let suffix = String(UInt32.random(in: 0 ... .max), radix: 36)
      let path = "\(target).\(suffix)\(Self.ending)"
      let descriptor = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o666)
      if descriptor >= 0 {
        // A sweep may come between a file's creation and its lock.
        var status = stat()
        if Self.lock(descriptor) != .taken, fstat(descriptor, &status) == 0, status.st_nlink > 0 {
          self.path = path
          self.descriptor = descriptor
          return
        }
        close(descriptor)
      } else if errno != EEXIST {
        break
      }
    }
    throw FileError(path: name, failing: "cannot create a file beside it")
  }

  deinit {
    if isThere {
      // Whoever has it open still, as libhdf5 after a failure, is not to take space that is wanted.
      ftruncate(descriptor, 0)
      unlink(path)
    }
    close(descriptor)
  }

  func rename(to target: String, for name: String) throws(FileError) {
    guard Glibc.rename(path, target) == 0 else { throw FileError(path: name, failing: "cannot rename to it") }
    isThere = false
  }

  /// Removes what writers of `target` left that are gone.
  static func sweep(beside target: String) {
    let folder = directory(of: target)
    guard let entries = opendir(folder) else { return }
    defer { closedir(entries) }
    let prefix = Array("\(target.split(separator: "/").last ?? "").".utf8)
    while let entry = readdir(entries) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { [UInt8](UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
      guard name.starts(with: prefix), name.reversed().starts(with: ending.utf8.reversed()) else { continue }
      let suffix = name.dropFirst(prefix.count).dropLast(ending.utf8.count)
      guard (1...7).contains(suffix.count), suffix.allSatisfy(Set("0123456789abcdefghijklmnopqrstuvwxyz".utf8).contains) else {
        continue
      }
      removeIfLeft("\(folder)/\(String(decoding: name, as: UTF8.self))")
    }
  }

  private static func removeIfLeft(_ path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    if (try? OrdinaryFile.check(descriptor, path)) != nil, lock(descriptor) == .ours { unlink(path) }
  }

  private static let ending = ".temporary"

  private enum Lock { case ours, taken, unsupported }

  private static func lock(_ descriptor: Int32) -> Lock {
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return .ours }
    return errno == EWOULDBLOCK ? .taken : .unsupported
  }
}
