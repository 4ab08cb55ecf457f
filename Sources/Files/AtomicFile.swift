import Foundation

/// Files that appear whole or not at all: filled under another name beside the target, flushed to the disk, renamed.
public enum AtomicFile {
  /// Whether `write` may put a file there; what else can fail shows only then.
  /// - Throws: `FileError` where a folder, device, FIFO or socket is in the way, or no file can be made beside it.
  public static func check(_ path: String) throws(FileError) {
    let target = try target(of: path)
    guard access(directory(of: target), W_OK | X_OK) == 0 else {
      throw FileError(path: path, failing: "cannot create a file beside it")
    }
  }

  /// Writes `bytes` to `path`.
  /// - Throws: `FileError` naming `path`: what was there stays, and nothing else.
  public static func write(_ bytes: some ContiguousBytes, to path: String) throws {
    try write(to: path) { temporary in
      let descriptor = open(temporary, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw FileError(path: path) }
      defer { close(descriptor) }
      try bytes.withUnsafeBytes { bytes in
        var done = 0
        while done < bytes.count {
          let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
          if count < 0, errno == EINTR { continue }
          guard count > 0 else { throw FileError(path: path, failing: "cannot write") }
          done += count
        }
      }
    }
  }

  /// Has `body` fill an empty file, which then takes its place at `path` with the permissions of the one before. A symbolic
  /// link keeps pointing. What earlier writers of this path left behind as they were killed is removed.
  /// - Parameter body: fills the file at the path it is given.
  /// - Throws: `FileError` naming `path`, or what `body` throws: what was there stays, and nothing else.
  public static func write<Result>(to path: String, _ body: (_ temporary: String) throws -> Result) throws -> Result {
    let target = try target(of: path)
    TemporaryFile.sweep(beside: target)
    let temporary = try TemporaryFile(beside: target, for: path)
    let result = try body(temporary.path)
    var existing = stat()
    if stat(target, &existing) == 0 { fchmod(temporary.descriptor, existing.st_mode & 0o7777) }
    try synchronize(temporary.descriptor, path)
    // Something else may have come there since.
    _ = try self.target(of: path)
    try temporary.rename(to: target, for: path)
    let folder = open(directory(of: target), O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    defer { if folder >= 0 { close(folder) } }
    if folder >= 0 { try synchronize(folder, path) }
    return result
  }

  /// Removes what writers of `path` left behind as they were killed; `write` does so, too.
  public static func sweep(_ path: String) {
    if let target = try? target(of: path) { TemporaryFile.sweep(beside: target) }
  }

  private static func synchronize(_ descriptor: Int32, _ path: String) throws(FileError) {
    // EINVAL: a file system without synchronisation.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw FileError(path: path, failing: "cannot synchronise") }
  }

  /// The file that a path stands for, whether it is there or not.
  private static func target(of path: String) throws(FileError) -> String {
    guard !path.isEmpty, !path.hasSuffix("/") else { throw FileError(path: path, reason: "is not the name of a file") }
    var target = path
    for _ in 0..<40 {
      var status = stat()
      guard lstat(target, &status) == 0 else {
        guard errno == ENOENT else { throw FileError(path: path) }
        return target
      }
      guard status.st_mode & S_IFMT == S_IFLNK else {
        try OrdinaryFile.check(status, path)
        return target
      }
      var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
      let length = buffer.withUnsafeMutableBufferPointer { buffer in
        buffer.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { readlink(target, $0, Int(PATH_MAX)) } ?? -1 }
      }
      guard length >= 0 else { throw FileError(path: path) }
      let destination = String(decoding: buffer.prefix(length), as: UTF8.self)
      target = destination.hasPrefix("/") ? destination : "\(directory(of: target))/\(destination)"
    }
    throw FileError(path: path, reason: String(cString: strerror(ELOOP)))
  }
}

func directory(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
