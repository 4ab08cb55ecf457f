import Foundation

/// Files that a user names are ordinary files: opening a FIFO would wait for its other end, reading a device may never end,
/// and opening one may do something.
public enum OrdinaryFile {
  /// Nothing is opened and nothing waits.
  /// - Throws: `FileError` unless `path` leads to an ordinary file, by symbolic links or not.
  public static func check(_ path: String) throws(FileError) {
    var status = stat()
    guard stat(path, &status) == 0 else { throw FileError(path: path) }
    try check(status, path)
  }

  /// - Returns: a descriptor for reading, which is the caller's to close.
  /// - Throws: `FileError` for what cannot be opened or is no ordinary file.
  public static func open(_ path: String) throws(FileError) -> Int32 {
    try check(path)
    // Another file may have taken its place since, which must not block either.
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FileError(path: path) }
    do {
      try check(descriptor, path)
      return descriptor
    } catch {
      close(descriptor)
      throw error
    }
  }

  /// - Returns: the size in bytes of the file that is open.
  /// - Throws: `FileError` naming `path` unless it is an ordinary one.
  @discardableResult
  public static func check(_ descriptor: Int32, _ path: String) throws(FileError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(path: path) }
    try check(status, path)
    return Int(status.st_size)
  }

  /// All of a file's bytes.
  /// - Throws: `FileError`, among others for more than `limit` bytes.
  public static func bytes(of path: String, limit: Int = .max) throws(FileError) -> [UInt8] {
    let descriptor = try open(path)
    defer { close(descriptor) }
    let size = try size(of: descriptor, path, limit)
    var failure: FileError?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      do throws(FileError) {
        count = try read(descriptor, path, into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<size]))
      } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }

  /// As `bytes(of:limit:)`, for Foundation's parsers.
  public static func data(of path: String, limit: Int = .max) throws(FileError) -> Data {
    let descriptor = try open(path)
    defer { close(descriptor) }
    let size = try size(of: descriptor, path, limit)
    guard size > 0 else { return Data() }
    guard let memory = malloc(size) else { throw FileError(path: path) }
    do throws(FileError) {
      let count = try read(descriptor, path, into: UnsafeMutableRawBufferPointer(start: memory, count: size))
      return Data(bytesNoCopy: memory, count: count, deallocator: .free)
    } catch {
      free(memory)
      throw error
    }
  }

  private static func size(of descriptor: Int32, _ path: String, _ limit: Int) throws(FileError) -> Int {
    let size = try check(descriptor, path)
    guard size <= limit else { throw FileError(path: path, reason: "is of \(size) bytes, more than \(limit)") }
    return size
  }

  /// - Returns: how many bytes there were: fewer where the file was cut meanwhile.
  private static func read(
    _ descriptor: Int32, _ path: String, into target: UnsafeMutableRawBufferPointer
  ) throws(FileError) -> Int {
    var done = 0
    while done < target.count {
      let count = Glibc.read(descriptor, target.baseAddress.map { $0 + done }, target.count - done)
      if count < 0, errno == EINTR { continue }
      if count < 0 { throw FileError(path: path) }
      if count == 0 { break }
      done += count
    }
    return done
  }

  static func check(_ status: stat, _ path: String) throws(FileError) {
    let kind: String
    switch status.st_mode & S_IFMT {
    case S_IFREG: return
    case S_IFDIR: kind = "a folder"
    case S_IFIFO: kind = "a FIFO"
    case S_IFSOCK: kind = "a socket"
    case S_IFCHR, S_IFBLK: kind = "a device"
    default: kind = "of an unknown kind"
    }
    throw FileError(path: path, reason: "is \(kind), not an ordinary file")
  }
}
