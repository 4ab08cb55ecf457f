import CHDF5
import Glibc
import Suggestions

/// libhdf5 keeps process-wide state and is not thread-safe: every call to it goes through `locked`.
enum Library {
  private static let lock = RecursiveLock()

  /// Filters are built in or refused: no shared library is loaded on a file's behalf. Done before files are described,
  /// whose process starts as a copy of this one.
  private static let prepared: Bool = {
    // Files are closed by whoever opened them; at exit, libhdf5 would take down what other threads still read.
    H5dont_atexit()
    H5open()
    H5PLset_loading_state(0)
    return true
  }()

  static func locked<R>(_ body: () throws -> R) rethrows -> R {
    lock.acquire()
    defer { lock.release() }
    _ = prepared
    // Per thread where libhdf5 was built for threads, hence on every entry.
    H5Eset_auto2(CH5E_DEFAULT(), nil, nil)
    return try body()
  }

  /// Takes the error stack's innermost message, which says what is wrong, and clears it.
  static func takeError() -> HDF5Error.Reason {
    var message = ""
    withUnsafeMutablePointer(to: &message) { pointer in
      _ = H5Ewalk2(
        CH5E_DEFAULT(), H5E_WALK_UPWARD,
        { _, entry, data in
          guard let text = entry?.pointee.desc, let data else { return 0 }
          let message = data.assumingMemoryBound(to: String.self)
          if message.pointee.isEmpty { message.pointee = String(cString: text) }
          return 0
        }, pointer)
    }
    H5Eclear2(CH5E_DEFAULT())
    return HDF5Error.Reason(library: message)
  }
}

extension HDF5Error.Reason {
  /// Of libhdf5's message the reason: where a system call failed the system's, without the addresses around it.
  init(library message: String) {
    let label = "error message = '"
    if let start = message.ranges(of: label).first?.upperBound {
      self = .system(String(message[start...].prefix { $0 != "'" }).escapedForDisplay)
    } else {
      let line = message.prefix { !$0.isNewline }
      self = .library(line.isEmpty ? "unknown failure" : String(line).escapedForDisplay)
    }
  }
}

private final class RecursiveLock: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init() {
    var attributes = pthread_mutexattr_t()
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
    pthread_mutex_init(mutex, &attributes)
    pthread_mutexattr_destroy(&attributes)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  func acquire() { pthread_mutex_lock(mutex) }
  func release() { pthread_mutex_unlock(mutex) }
}

/// An identifier of libhdf5, closed when the last value that uses it goes.
final class Handle: Sendable {
  let id: hid_t
  private let close: @Sendable (hid_t) -> herr_t

  init(_ id: hid_t, _ close: @escaping @Sendable (hid_t) -> herr_t) {
    self.id = id
    self.close = close
  }

  deinit { _ = Library.locked { close(id) } }
}

/// Where an operation takes place, for its errors.
struct Place {
  var file: String
  var object: String?
  var attribute: String?

  func error(_ reason: HDF5Error.Reason) -> HDF5Error {
    HDF5Error(file: file, object: object, attribute: attribute, reason: reason)
  }

  /// Passes a result on; a negative one is libhdf5's sign of failure. Call with the lock held.
  @discardableResult
  func check<Result: SignedInteger>(_ result: Result) throws -> Result {
    if result < 0 { throw error(Library.takeError()) }
    return result
  }

  func handle(_ id: hid_t, _ close: @escaping @Sendable (hid_t) -> herr_t) throws -> Handle {
    Handle(try check(id), close)
  }

  /// A name as libhdf5 takes it.
  func validName(_ name: String) throws -> String {
    guard !name.isEmpty, name != ".", !name.utf8.contains(0) else {
      throw error(.invalid("\"\(name.escapedForDisplay)\" is not a name"))
    }
    return name
  }

  /// A relative path's names.
  static func components(of path: String, _ place: Place) throws -> [String] {
    let names = FileName.components(of: path)
    guard !names.isEmpty else { throw place.error(.invalid("\"\(path.escapedForDisplay)\" is not a path")) }
    return try names.map(place.validName)
  }
}
