import CZip
import Files
import Foundation
import HDF5

/// Keras 3's `.keras` files: a zip archive of the model's configuration and "model.weights.h5".
enum KerasArchive {
  private static let weightsName = "model.weights.h5", configurationName = "config.json"
  private static let longestConfiguration = 64 << 20

  /// Whether the file starts as a zip archive does.
  static func isArchive(_ path: String) -> Bool {
    guard (try? OrdinaryFile.check(path)) != nil, let file = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? file.close() }
    return (try? file.read(upToCount: 4)) == Data("PK\u{3}\u{4}".utf8)
  }

  /// Unpacks the weights into memory.
  /// - Returns: the weights, and what the configuration says.
  /// - Throws: `HDF5Error` for an archive that is damaged or no Keras model, or that unpacks to much more than it holds.
  static func open(_ path: String) throws -> (file: HDF5File, model: KerasModel?) {
    var code: Int32 = 0
    guard let archive = zip_open(path, ZIP_RDONLY, &code) else {
      var error = zip_error_t()
      zip_error_init_with_code(&error, code)
      defer { zip_error_fini(&error) }
      throw failure(path, String(cString: zip_error_strerror(&error)))
    }
    defer { zip_discard(archive) }
    let model = try entry(configurationName, of: archive, path, most: longestConfiguration).flatMap { try KerasModel(json: $0.read(), of: path) }
    guard let weights = try entry(weightsName, of: archive, path, most: .max) else {
      throw failure(path, "no \"\(weightsName)\" in it, so it is no Keras model")
    }
    let descriptor = CMemoryFile(weightsName)
    guard descriptor >= 0 else { throw failure(path, String(cString: strerror(errno))) }
    do { try weights.copy(to: descriptor) } catch {
      close(descriptor)
      throw error
    }
    return (try HDF5File(descriptor: descriptor, path: "\(path)(\(weightsName))"), model)
  }

  private static func failure(_ path: String, _ message: String) -> HDF5Error {
    HDF5Error(file: path, reason: .library("zip archive: \(message)"))
  }

  /// A file of an archive, to be read once.
  private struct Entry {
    let path: String
    let name: String
    let size: Int
    let file: OpaquePointer

    /// Calls `body` with piece after piece.
    func pieces(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
      defer { zip_fclose(file) }
      var buffer = [UInt8](repeating: 0, count: 1 << 20)
      var total = 0
      while true {
        let count = zip_fread(file, &buffer, zip_uint64_t(buffer.count))
        guard count >= 0 else { throw failure(path, "\(name) is damaged") }
        if count == 0 { break }
        total += Int(count)
        guard total <= size else { throw failure(path, "\(name) is longer than it says") }
        try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<Int(count)])) }
      }
      guard total == size else { throw failure(path, "\(name) is shorter than it says") }
    }

    func read() throws -> Data {
      var data = Data()
      try pieces { data.append(contentsOf: $0) }
      return data
    }

    func copy(to descriptor: Int32) throws {
      try pieces { piece in
        var done = 0
        while done < piece.count {
          let count = write(descriptor, piece.baseAddress.map { $0 + done }, piece.count - done)
          guard count > 0 else { throw failure(path, "cannot unpack \(name): \(String(cString: strerror(errno)))") }
          done += count
        }
      }
    }
  }

  private static func entry(_ name: String, of archive: OpaquePointer, _ path: String, most: Int) throws -> Entry? {
    var status = zip_stat_t()
    zip_stat_init(&status)
    guard zip_stat(archive, name, 0, &status) == 0 else { return nil }
    let archiveBytes = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    let limits = HDF5Limits()
    let allowed = archiveBytes.multipliedReportingOverflow(by: limits.expansion).partialValue + limits.spareBytes
    guard status.size <= UInt64(min(most, allowed)) else {
      throw HDF5Error(
        file: path, reason: .tooLarge("\(name) claims \(status.size) bytes, in an archive of \(archiveBytes)"))
    }
    guard let file = zip_fopen(archive, name, 0) else {
      throw failure(path, "\(name): \(String(cString: zip_strerror(archive)))")
    }
    return Entry(path: path, name: name, size: Int(status.size), file: file)
  }
}
