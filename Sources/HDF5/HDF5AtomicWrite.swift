import Glibc

extension HDF5File {
  /// Writes a file that appears whole or not at all.
  ///
  /// `body` fills a temporary file in the same directory; it is flushed to the disk and then renamed to `path`, so
  /// that a failure or a power cut leaves what was there before. Equal contents give equal bytes.
  /// - Parameter compatible: write the oldest format that serves, as h5py and Keras do, instead of that of HDF5 1.10,
  ///   whose metadata carry checksums.
  /// - Throws: `HDF5Error` naming `path`, or what `body` throws; the temporary file is removed.
  public static func writeAtomically<Result>(
    to path: String, compatible: Bool = false, _ body: (_ file: HDF5Writer) throws -> Result
  ) throws -> Result {
    let destination = resolvingLink(path)
    let (temporary, descriptor) = try createTemporary(beside: destination, named: path)
    Glibc.close(descriptor)
    var finished = false
    defer { if !finished { unlink(temporary) } }

    let result: Result
    do {
      let file = try HDF5Writer(creating: temporary, compatible: compatible)
      do {
        result = try body(file)
      } catch {
        try? file.close()
        throw error
      }
      try file.close()
    } catch var error as HDF5Error where error.file == temporary {
      error.file = path
      throw error
    }

    var existing = stat()
    if stat(destination, &existing) == 0 { chmod(temporary, existing.st_mode & 0o7777) }
    try synchronize(temporary, named: path)
    guard rename(temporary, destination) == 0 else {
      throw HDF5Error(file: path, reason: .system("cannot rename to it: \(systemMessage())"))
    }
    finished = true
    try synchronize(directory(of: destination), named: path)
    return result
  }
}

/// Replacing a symbolic link would leave its target as it was.
private func resolvingLink(_ path: String) -> String {
  guard let resolved = realpath(path, nil) else { return path }
  defer { free(resolved) }
  return String(cString: resolved)
}

private func directory(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

private func createTemporary(beside path: String, named name: String) throws -> (path: String, descriptor: Int32) {
  for _ in 0..<100 {
    let suffix = String(UInt32.random(in: 0 ... .max), radix: 36)
    let temporary = "\(path).\(suffix).temporary"
    let descriptor = open(temporary, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o666)
    if descriptor >= 0 { return (temporary, descriptor) }
    if errno != EEXIST { break }
  }
  throw HDF5Error(file: name, reason: .system("cannot create a file beside it: \(systemMessage())"))
}

private func synchronize(_ path: String, named name: String) throws {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  defer { if descriptor >= 0 { close(descriptor) } }
  // EINVAL: a file system without synchronisation.
  guard descriptor >= 0, fsync(descriptor) == 0 || errno == EINVAL else {
    throw HDF5Error(file: name, reason: .system("cannot synchronise \(path): \(systemMessage())"))
  }
}
