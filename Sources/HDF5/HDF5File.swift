import Files
import Glibc

/// An HDF5 file, open for reading. Closed when it and everything opened from it are gone.
///
/// A damaged or hostile file gives errors, never a crash: libhdf5 describes it in a process of its own, within limits of
/// time and memory, and values are read by their offsets, which are checked against the file's size.
public final class HDF5File: Sendable {
  public let path: String
  public let limits: HDF5Limits
  /// The file's size in bytes when it was opened.
  public let size: Int
  let catalogue: Catalogue
  private let descriptor: Int32

  /// Opens a file.
  /// - Throws: `HDF5Error`: `.missingFile`, `.notHDF5`, or `.library` for a truncated or damaged file.
  public convenience init(reading path: String, limits: HDF5Limits = HDF5Limits()) throws {
    do {
      try self.init(descriptor: try OrdinaryFile.open(path), path: path, limits: limits)
    } catch let error as FileError {
      throw HDF5Error(file: path, reason: .missingFile(error.reason))
    }
  }

  /// - Parameters:
  ///   - descriptor: of an ordinary file or memory, which becomes the new value's own.
  ///   - path: what errors call the file.
  /// - Throws: as `init(reading:limits:)`.
  package init(descriptor: Int32, path: String, limits: HDF5Limits = HDF5Limits()) throws {
    do {
      size = try OrdinaryFile.check(descriptor, path)
      catalogue = try Description(descriptor: descriptor, size: size, limits: limits, path: path).catalogue()
    } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.limits = limits
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// The group "/".
  public var root: HDF5Group { get throws { HDF5Group(file: self, path: "/", index: 0, group: try catalogue.root(path)) } }

  /// Fills `target` with the bytes from `offset` on.
  func read(at offset: Int, into target: UnsafeMutableRawBufferPointer, _ place: Place) throws {
    guard offset >= 0, target.count <= size, offset <= size - target.count else {
      throw place.error(.tooLarge("values at \(offset)..<\(offset) + \(target.count) of a file of \(size) bytes"))
    }
    var done = 0
    while done < target.count {
      let count = pread(descriptor, target.baseAddress.map { $0 + done }, target.count - done, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw place.error(.system(count == 0 ? "the file became shorter" : "cannot read: \(systemMessage())"))
      }
      done += count
    }
  }
}

extension Catalogue {
  fileprivate func root(_ file: String) throws -> Group {
    guard case .group(let group)? = objects.first?.content else {
      throw HDF5Error(file: file, object: "/", reason: .mismatch(expected: "a group", found: "none"))
    }
    return group
  }
}

/// What `errno` says.
func systemMessage() -> String { String(cString: strerror(errno)) }
