import CHDF5
import CHDF5Catalogue
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
    // Opening a pipe without this flag would wait for its writer.
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw HDF5Error(file: path, reason: .missingFile(systemMessage())) }
    try self.init(descriptor: descriptor, path: path, limits: limits)
  }

  /// - Parameters:
  ///   - descriptor: of an ordinary file or memory, which becomes the new value's own.
  ///   - path: what errors call the file.
  /// - Throws: as `init(reading:limits:)`.
  package init(descriptor: Int32, path: String, limits: HDF5Limits = HDF5Limits()) throws {
    do {
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { throw HDF5Error(file: path, reason: .missingFile(systemMessage())) }
      guard status.st_mode & S_IFMT == S_IFREG else {
        throw HDF5Error(file: path, reason: .missingFile("not an ordinary file"))
      }
      size = Int(status.st_size)
      catalogue = try Catalogue.describing(descriptor, size: size, limits: limits, path: path)
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

  /// Has a file described by a process of its own.
  /// - Throws: `HDF5Error`.
  fileprivate static func describing(
    _ descriptor: Int32, size: Int, limits: HDF5Limits, path: String
  ) throws -> Catalogue {
    let place = Place(file: path)
    let capacity = (1 << 24) + 4 * min(size, 1 << 40)
    let seconds = limits.describingSeconds + min(size >> 26, 600)
    let anonymous = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE
    guard let shared = mmap(nil, capacity, PROT_READ | PROT_WRITE, anonymous, -1, 0), shared != MAP_FAILED else {
      throw place.error(.system("cannot map memory: \(systemMessage())"))
    }
    defer { munmap(shared, capacity) }
    var allowed = CHDF5CatalogueLimits(
      file_bytes: UInt64(size), attribute_bytes: UInt64(limits.attributeBytes),
      variable_strings: UInt64(limits.variableStrings), group_depth: UInt64(limits.depth),
      memory_bytes: UInt64(limits.describingBytes), cpu_seconds: UInt32(seconds),
      wall_seconds: UInt32(60 + 10 * seconds))
    // By descriptor, so that it is the file whose values are read later.
    let name = "/proc/self/fd/\(descriptor)"
    let process = Library.locked { CHDF5CatalogueStart(name, &allowed, shared, UInt64(capacity)) }
    guard process > 0 else { throw place.error(.system("cannot fork: \(systemMessage())")) }
    let signal = CHDF5CatalogueWait(process)

    let header = shared.load(as: CHDF5CatalogueHeader.self)
    let headerBytes = MemoryLayout<CHDF5CatalogueHeader>.size
    let used = Int(min(header.used, UInt64(capacity - headerBytes)))
    let records = UnsafeRawBufferPointer(start: shared + headerBytes, count: used)
    do {
      return try CatalogueParser.parse(records, maximumDepth: limits.depth)
    } catch let failure as CatalogueParser.Failure {
      let end = Place(file: path, object: failure.object, attribute: failure.attribute)
      if let reason = failure.reason { throw place.error(reason) }
      if header.overflowed != 0 { throw end.error(.tooLarge("more metadata than a file of \(size) bytes can hold")) }
      switch signal {
      case SIGXCPU, SIGALRM, SIGKILL:
        throw end.error(.library("damaged: describing it takes more than \(seconds) s"))
      default: throw end.error(.library("damaged: libhdf5 fails on it" + (signal > 0 ? " (signal \(signal))" : "")))
      }
    }
  }
}

/// What `errno` says.
func systemMessage() -> String { String(cString: strerror(errno)) }
