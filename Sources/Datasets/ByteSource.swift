import Files
import Foundation

/// The bytes of an image by position. Who reads a header asks for few of them.
protocol ByteSource {
  var count: Int { get }
  /// - Returns: the bytes from `position` on, fewer than `count` where there are fewer. Indexes are of the slice's own.
  mutating func bytes(at position: Int, count: Int) throws -> ArraySlice<UInt8>
}

extension [UInt8]: ByteSource {
  func bytes(at position: Int, count: Int) -> ArraySlice<UInt8> {
    guard position < self.count else { return [] }
    return self[position..<Swift.min(self.count, position + count)]
  }
}

/// A file, some kilobytes of which are in memory.
struct FileBytes: ByteSource {
  let path: String
  let count: Int
  private let descriptor: Int32
  private var window: [UInt8] = []
  private var start = 0

  /// Opens the file for as long as `body` runs.
  /// - Throws: `ImageError.unreadable`, also for what is no ordinary file.
  static func reading<Result>(_ path: String, _ body: (inout FileBytes) throws -> Result) throws -> Result {
    do {
      let descriptor = try OrdinaryFile.open(path)
      defer { close(descriptor) }
      var bytes = FileBytes(path: path, count: try OrdinaryFile.check(descriptor, path), descriptor: descriptor)
      return try body(&bytes)
    } catch let error as FileError {
      throw ImageError.unreadable(file: path, reason: error.reason)
    }
  }

  private init(path: String, count: Int, descriptor: Int32) {
    (self.path, self.count, self.descriptor) = (path, count, descriptor)
  }

  mutating func bytes(at position: Int, count: Int) throws -> ArraySlice<UInt8> {
    if position < start || position + count > start + window.count {
      window = try read(at: position, count: max(count, 4096))
      start = position
    }
    let end = min(window.count, position - start + count)
    return window[min(end, position - start)..<end]
  }

  private func read(at position: Int, count: Int) throws -> [UInt8] {
    let wanted = max(0, min(count, self.count - position))
    var done = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
      while done < wanted {
        let count = pread(descriptor, buffer.baseAddress.map { $0 + done }, wanted - done, off_t(position + done))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else {
          if count < 0 { done = -1 }
          break
        }
        done += count
      }
      filled = max(0, done)
    }
    guard done >= 0 else { throw ImageError.unreadable(file: path, reason: String(cString: strerror(errno))) }
    return bytes
  }
}

/// Parts of a source, read as if one followed the other.
struct JoinedBytes<Source: ByteSource>: ByteSource {
  private(set) var source: Source
  private let parts: [Range<Int>]

  init(_ parts: [Range<Int>], of source: Source) {
    (self.parts, self.source) = (parts, source)
  }

  var count: Int { parts.reduce(0) { $0 + $1.count } }

  mutating func bytes(at position: Int, count: Int) throws -> ArraySlice<UInt8> {
    var (skipped, result) = (0, ArraySlice<UInt8>())
    for part in parts where result.count < count {
      let from = max(0, position + result.count - skipped)
      if from < part.count {
        result += try source.bytes(at: part.lowerBound + from, count: min(part.count - from, count - result.count))
      }
      skipped += part.count
    }
    return result
  }
}

extension ByteSource {
  /// A whole number without sign.
  /// - Returns: nil where the bytes end before.
  mutating func number(at position: Int, bytes length: Int, isLittleEndian: Bool = false) throws -> Int? {
    let bytes = try bytes(at: position, count: length)
    guard bytes.count == length else { return nil }
    func joined(_ bytes: some Sequence<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
    return isLittleEndian ? joined(bytes.reversed()) : joined(bytes)
  }
}
