import Foundation
import Parallel

/// A parameter's declaration: where it lives in the hierarchy, its shape and how it starts.
public struct ParameterDeclaration: Hashable, Sendable {
  /// Slash-separated, the last part one of kernel, bias, gamma, beta, moving_mean, moving_variance (Keras' names).
  public var path: String
  public var shape: [Int]
  public var initializer: Initializer
  /// Whether the optimiser moves it. Moving statistics and frozen layers are not.
  public var isTrainable: Bool

  public init(path: String, shape: [Int], initializer: Initializer, isTrainable: Bool) {
    self.path = path
    self.shape = shape
    self.initializer = initializer
    self.isTrainable = isTrainable
  }
}

/// All values of a network and their gradients, each kind in one contiguous buffer, so that an optimiser step, a
/// gradient norm or an all-reduce is one sweep.
public final class Parameters {
  public struct Entry: Hashable, Sendable {
    public let declaration: ParameterDeclaration
    /// Where in `values` and `gradients`.
    public let range: Range<Int>
  }

  /// In order of declaration.
  public let entries: [Entry]
  private let indexes: [String: Int]
  public var values: UnsafeMutableBufferPointer<Float> { memory.values.values }
  /// Same layout as `values`; undefined for what is not trainable.
  public var gradients: UnsafeMutableBufferPointer<Float> { memory.gradients.values }
  private let memory: (values: AlignedMemory, gradients: AlignedMemory)
  /// Counts the changes of `values`, so that programs know when to lay kernels out anew.
  public private(set) var version = 0

  /// - Parameter seed: of the initial values; nil leaves them 0, for weights to be loaded.
  /// - Throws: `EngineError` where a path is declared twice, or there is no memory.
  public init(_ declarations: [ParameterDeclaration], seed: UInt64?) throws {
    var entries: [Entry] = []
    var indexes: [String: Int] = [:]
    var offset = 0
    for declaration in declarations {
      guard indexes.updateValue(entries.count, forKey: declaration.path) == nil else {
        throw EngineError("parameter \"\(declaration.path)\" is declared twice")
      }
      // What is more than any machine has is an error before it is too many to be counted.
      let count = MemoryNeed.product(declaration.shape)
      guard count < 1 << 48, offset < 1 << 48 else {
        throw EngineError("parameter \"\(declaration.path)\" of shape \(declaration.shape) is larger than any memory")
      }
      entries.append(Entry(declaration: declaration, range: offset..<(offset + count)))
      offset += (count + 15) / 16 * 16  // every parameter starts on a cache line
    }
    self.entries = entries
    self.indexes = indexes
    memory = (try AlignedMemory(count: offset), try AlignedMemory(count: offset))
    guard let seed else { return }
    nonisolated(unsafe) let values = values
    Parallel.forEach(of: entries.count) { index in
      let declaration = entries[index].declaration
      declaration.initializer.fill(
        UnsafeMutableBufferPointer(rebasing: values[entries[index].range]), shape: declaration.shape, seed: seed,
        path: declaration.path)
    }
  }

  public func entry(_ path: String) throws -> Entry {
    guard let index = indexes[path] else { throw EngineError("no parameter \"\(path)\"") }
    return entries[index]
  }

  /// Each parameter's shape by its path.
  public var shapes: [String: [Int]] {
    Dictionary(uniqueKeysWithValues: entries.map { ($0.declaration.path, $0.declaration.shape) })
  }

  /// A copy of a parameter's values.
  public func tensor(_ path: String) throws -> Tensor {
    let entry = try entry(path)
    return Tensor(shape: entry.declaration.shape, values: Array(values[entry.range]))
  }

  /// A copy of a trainable parameter's gradient.
  public func gradient(_ path: String) throws -> Tensor {
    let entry = try entry(path)
    return Tensor(shape: entry.declaration.shape, values: Array(gradients[entry.range]))
  }

  /// - Throws: `EngineError` where the path is unknown or the shape another.
  public func set(_ path: String, to tensor: Tensor) throws {
    let entry = try entry(path)
    guard tensor.shape == entry.declaration.shape else {
      throw EngineError("parameter \"\(path)\" has shape \(entry.declaration.shape), not \(tensor.shape)")
    }
    _ = UnsafeMutableBufferPointer(rebasing: values[entry.range]).update(fromContentsOf: tensor.values)
    version += 1
  }

  /// Of the bits of all values, in order (Fletcher's sum, of 32-bit words).
  public var checksum: UInt32 {
    var (sum, sums): (UInt32, UInt32) = (0, 0)
    for value in values {
      sum &+= value.bitPattern
      sums &+= sum
    }
    return sum ^ sums
  }

  /// To be called after writing to `values` directly.
  public func markChanged() { version += 1 }

  func pointer(_ path: String) throws -> UnsafeMutablePointer<Float> {
    try Self.start(values, at: entry(path).range.lowerBound)
  }

  func gradientPointer(_ path: String) throws -> UnsafeMutablePointer<Float> {
    try Self.start(gradients, at: entry(path).range.lowerBound)
  }

  private static func start(
    _ buffer: UnsafeMutableBufferPointer<Float>, at offset: Int
  ) throws -> UnsafeMutablePointer<Float> {
    guard let base = buffer.baseAddress else { throw EngineError("the network has no parameters") }
    return base + offset
  }
}

extension UnsafeMutableBufferPointer<Float> {
  private static var hugePage: Int { 1 << 21 }

  /// Zeroed memory on a cache line. Large buffers take memory from the system only where they are touched, in huge pages
  /// if the kernel grants them.
  /// - Throws: `EngineError` where there is none.
  package static func allocateAligned(_ count: Int) throws -> UnsafeMutableBufferPointer<Float> {
    guard count <= 1 << 48 else { throw EngineError("\(count) values are more than any memory holds") }
    let bytes = Swift.max(64, count * MemoryLayout<Float>.stride)
    var memory: UnsafeMutableRawPointer?
    if bytes >= hugePage {
      let length = bytes + hugePage
      if let start = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), start != MAP_FAILED {
        // The part that begins on a huge page; what lies around it goes back.
        let offset = (hugePage - Int(bitPattern: start) % hugePage) % hugePage
        let size = mappedSize(bytes)
        if offset > 0 { munmap(start, offset) }
        if length - offset > size { munmap(start + offset + size, length - offset - size) }
        madvise(start + offset, size, MADV_HUGEPAGE)
        memory = start + offset
      }
    } else if posix_memalign(&memory, 64, bytes) == 0, let memory {
      memset(memory, 0, bytes)
    }
    guard let memory else { throw EngineError("out of memory: \(MemoryNeed.text(bytes)) more are wanted") }
    return UnsafeMutableBufferPointer(start: memory.bindMemory(to: Float.self, capacity: count), count: count)
  }

  func deallocateAligned() {
    let bytes = count * MemoryLayout<Float>.stride
    if bytes >= Self.hugePage { munmap(baseAddress, Self.mappedSize(bytes)) } else { free(baseAddress) }
  }

  private static func mappedSize(_ bytes: Int) -> Int { (bytes + 4095) / 4096 * 4096 }
}
