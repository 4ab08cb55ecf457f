import Foundation

/// Keeps other processes out of a folder while one writes there. Goes with the value, or the process, however it ends.
///
/// A file `.lock` in the folder is locked and names the holder; it and folders made for it go as well, unless something else
/// came into them. Where the file system knows no locks, nobody is kept out.
public final class FolderLock {
  private let path: String
  private let descriptor: Int32
  private let folders: [String]

  /// Makes the folder if need be.
  /// - Throws: `FileError` where another process holds it, a file is in the way, or nothing can be written.
  public init(_ folder: String) throws(FileError) {
    let folders = try Self.make(folder)
    do {
      path = "\(folder)/.lock"
      descriptor = try Self.lock(path, folder)
      self.folders = folders
    } catch {
      for folder in folders { rmdir(folder) }
      throw error
    }
    do { try nameHolder() } catch { throw FileError(path: folder, reason: "cannot be written to: \(error.reason)") }
  }

  deinit {
    unlink(path)
    // By name: a process forked meanwhile may hold the file open a little longer.
    flock(descriptor, LOCK_UN)
    close(descriptor)
    for folder in folders { rmdir(folder) }
  }

  /// - Returns: the folders that were missing, the innermost first.
  private static func make(_ folder: String) throws(FileError) -> [String] {
    var missing: [String] = []
    var current = folder
    while current.count > 1, current.hasSuffix("/") { current.removeLast() }
    var status = stat()
    while stat(current, &status) != 0, errno == ENOENT {
      missing.append(current)
      current = directory(of: current)
    }
    if status.st_mode & S_IFMT != S_IFDIR, access(current, F_OK) == 0 {
      throw FileError(path: folder, reason: "cannot be made: \(current) is a file, not a folder")
    }
    for (index, path) in missing.enumerated().reversed() where mkdir(path, 0o777) != 0 && errno != EEXIST {
      let error = FileError(path: folder, failing: "cannot be made")
      for made in missing[(index + 1)...] { rmdir(made) }
      throw error
    }
    return missing
  }

  private static func lock(_ path: String, _ folder: String) throws(FileError) -> Int32 {
    while true {
      let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
      guard descriptor >= 0 else { throw FileError(path: folder, failing: "cannot be written to") }
      do throws(FileError) {
        try OrdinaryFile.check(descriptor, path)
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
          throw FileError(path: folder, reason: "is in use by \(holder(descriptor) ?? "another process")")
        }
      } catch {
        close(descriptor)
        throw error
      }
      // Who held it before may have removed the file since it was opened.
      var (own, there) = (stat(), stat())
      if fstat(descriptor, &own) == 0, stat(path, &there) == 0, own.st_ino == there.st_ino, own.st_dev == there.st_dev {
        return descriptor
      }
      close(descriptor)
    }
  }

  /// Shows in time that the disk is full, too.
  private func nameHolder() throws(FileError) {
    var host = [CChar](repeating: 0, count: 256)
    gethostname(&host, host.count - 1)
    let text = Array("process \(getpid()) on \(String(cString: host))\n".utf8)
    guard ftruncate(descriptor, 0) == 0 else { throw FileError(path: path) }
    var done = 0
    while done < text.count {
      let count = text[done...].withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(done)) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw FileError(path: path) }
      done += count
    }
  }

  /// `process 4711 on machine`; nil where the file does not say so.
  private static func holder(_ descriptor: Int32) -> String? {
    var bytes = [UInt8](repeating: 0, count: 300)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let line = String(decoding: bytes.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    return line.wholeMatch(of: #/process [0-9]+ on [\w.-]+/#) == nil ? nil : line
  }
}
