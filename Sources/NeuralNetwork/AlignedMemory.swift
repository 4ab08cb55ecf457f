/// Memory of 32-bit floats that goes back when nobody holds it any longer.
final class AlignedMemory {
  let values: UnsafeMutableBufferPointer<Float>
  /// There is always some, be it for no values.
  let start: UnsafeMutablePointer<Float>

  /// Zeroed; see `allocateAligned`.
  /// - Throws: `EngineError` where there is none.
  init(count: Int) throws {
    values = try .allocateAligned(count)
    guard let start = values.baseAddress else { throw EngineError("no memory for \(count) values") }
    self.start = start
  }

  deinit { values.deallocateAligned() }
}

/// The memory in which programs that never run at the same time keep what lives only while they run: as large as the
/// largest of them needs. Not for use by two threads at once.
public final class ProgramArena {
  private var memory: AlignedMemory?
  /// What runs in it now: its values are there between its forward and its backward pass.
  weak var user: Program?

  public init() {}

  public var byteCount: Int { (memory?.values.count ?? 0) * MemoryLayout<Float>.stride }

  /// - Returns: where it begins, which changes when it grows.
  /// - Throws: `EngineError` where there is no such memory.
  func reserve(_ byteCount: Int) throws -> UnsafeMutablePointer<Float> {
    if let memory, self.byteCount >= byteCount { return memory.start }
    // First gone, then larger: nothing in it outlives a pass.
    user = nil
    memory = nil
    let larger = try AlignedMemory(count: byteCount / MemoryLayout<Float>.stride)
    memory = larger
    return larger.start
  }
}
