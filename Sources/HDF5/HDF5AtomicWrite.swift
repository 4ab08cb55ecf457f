import Files

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
    do {
      return try AtomicFile.write(to: path) { temporary in
        do {
          return try fill(temporary, compatible: compatible, body)
        } catch var error as HDF5Error where error.file == temporary {
          error.file = path
          throw error
        }
      }
    } catch let error as FileError {
      throw HDF5Error(file: path, reason: .system(error.reason))
    }
  }

  private static func fill<Result>(
    _ path: String, compatible: Bool, _ body: (_ file: HDF5Writer) throws -> Result
  ) throws -> Result {
    let file = try HDF5Writer(creating: path, compatible: compatible)
    let result: Result
    do {
      result = try body(file)
    } catch {
      try? file.close()
      throw error
    }
    try file.close()
    return result
  }
}
