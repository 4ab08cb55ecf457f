/// An array of values in a file.
public struct HDF5Dataset: HDF5Object {
  public let file: HDF5File
  public let path: String
  public let identifier: HDF5Identifier
  /// Extents, outermost first; [] is a scalar.
  public let shape: [Int]
  public let type: HDF5Type
  public let storage: HDF5Storage
  /// Bytes that the values take in the file, compressed.
  public let storedBytes: Int
  let layout: Catalogue.Description.Layout
  private let fill: Catalogue.Fill
  let elementBytes: Int

  init(file: HDF5File, path: String, index: Int, description: Catalogue.Description) {
    self.file = file
    self.path = path
    identifier = HDF5Identifier(index: index)
    shape = description.shape ?? [0]
    let dtype = file.catalogue.objects[index].attributes.first { $0.name.shown == "dtype" }
    type = HDF5Type(description.type, dtype: (try? dtype?.value.get()).flatMap(\.text))
    elementBytes = max(1, description.type.byteCount)
    storedBytes = description.storedBytes
    layout = description.layout
    fill = description.fill
    storage = HDF5Storage(layout)
  }

  /// The number of values; nil when it does not fit an `Int`.
  public var count: Int? { elementCount(shape) }

  /// All values in C order, converted to `Number`: from halves, doubles, big-endian and whole numbers.
  /// - Parameter rank: the number of extents there must be, or nil for any.
  /// - Throws: `HDF5Error`: `.mismatch` for another rank or no numbers, `.tooLarge` for a size that the file cannot
  ///   hold or the limits forbid, `.refused` for an unknown filter, `.library` for damage.
  public func read<Number: HDF5Number>(as number: Number.Type = Number.self, rank: Int? = nil) throws -> [Number] {
    if let rank, rank != shape.count {
      throw place.error(.mismatch(expected: "rank \(rank)", found: "shape \(shape)"))
    }
    let count = try checkedCount(as: number)
    guard count > 0 else { return [] }
    return try [Number](unsafeUninitializedCapacity: count) { buffer, initialized in
      UnsafeMutableRawBufferPointer(buffer).adviseHugePages()
      try read(into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      initialized = count
    }
  }

  /// The number of values, once it is clear that they are numbers and that the file can hold them.
  func checkedCount<Number: HDF5Number>(as number: Number.Type) throws -> Int {
    try checkType(number)
    let limits = file.limits
    guard let count, count <= limits.datasetBytes / max(elementBytes, MemoryLayout<Number>.stride) else {
      throw place.error(.tooLarge("shape \(shape) of \(type) exceeds the limit of \(limits.datasetBytes) bytes"))
    }
    var ratio = 1
    for filter in storage.filters {
      if case .unknown = filter { throw place.error(.refused("\(filter), which is not deflate, shuffle or fletcher32")) }
      if filter == .deflate { ratio = HDF5Limits.deflateRatio }
    }
    guard Set(storage.filters).count == storage.filters.count else {
      throw place.error(.refused("a filter applied twice"))
    }
    guard storage.chunk != nil || storedBytes <= file.size else {
      throw place.error(.tooLarge("\(storedBytes) stored bytes in a file of \(file.size)"))
    }
    let holdable = min(max(0, storedBytes), file.size) * ratio + limits.unstoredBytes
    guard count * elementBytes <= holdable else {
      throw place.error(.tooLarge("shape \(shape) of \(type) does not fit the \(storedBytes) bytes stored"))
    }
    return count
  }

  private func checkType(_ number: any HDF5Number.Type) throws {
    switch type {
    case .integer: return
    case .float, .bfloat16, .float8:
      if !number.isInteger { return }
      throw place.error(.mismatch(expected: "whole numbers", found: "\(type)"))
    default: throw place.error(.mismatch(expected: "numbers", found: "\(type)"))
    }
  }

  /// - Precondition: `target` holds `checkedCount` values.
  func read<Number: HDF5Number>(into target: UnsafeMutableBufferPointer<Number>) throws {
    switch layout {
    case .compact(let bytes):
      guard bytes.count == target.count * elementBytes else {
        throw place.error(.tooLarge("\(bytes.count) bytes for shape \(shape) of \(type)"))
      }
      bytes.withUnsafeBytes { Conversion.convert($0, of: type, into: target) }
    case .contiguous(nil): try fill(target, ifNothingIsThere: true)
    case .contiguous(let offset?):
      if isStored(as: Number.self) {
        return try file.read(at: offset, into: UnsafeMutableRawBufferPointer(target), place)
      }
      try readConverting(at: offset, into: target)
    case .chunked(let table):
      try ChunkReader(dataset: self, table: table).read(into: target)
    }
  }

  /// Sets all to what values are that were never written.
  func fill<Number: HDF5Number>(_ target: UnsafeMutableBufferPointer<Number>, ifNothingIsThere isEmpty: Bool) throws {
    var value = Number(converting: 0 as Int)
    switch fill {
    case .value(let bytes) where bytes.count == elementBytes:
      bytes.withUnsafeBytes { bytes in
        withUnsafeMutablePointer(to: &value) {
          Conversion.convert(bytes, of: type, into: UnsafeMutableBufferPointer(start: $0, count: 1))
        }
      }
    case .none where isEmpty: throw place.error(.library("its values were never written, and it has no fill value"))
    case .value, .zeros, .none: break
    }
    target.initialize(repeating: value)
  }

  /// Whether elements are the same bytes in the file and in memory.
  func isStored(as number: any HDF5Number.Type) -> Bool {
    switch type {
    case .float(bytes: 4, bigEndian: false): number is Float.Type
    case .float(bytes: 8, bigEndian: false): number is Double.Type
    case .integer(bytes: 8, signed: true, bigEndian: false): number is Int.Type
    default: false
    }
  }

  private func readConverting<Number: HDF5Number>(
    at offset: Int, into target: UnsafeMutableBufferPointer<Number>
  ) throws {
    let piece = 1 << 16
    try withUnsafeTemporaryAllocation(byteCount: piece * elementBytes, alignment: 16) { scratch in
      for start in stride(from: 0, to: target.count, by: piece) {
        let part = UnsafeMutableBufferPointer(rebasing: target[start..<min(target.count, start + piece)])
        let bytes = UnsafeMutableRawBufferPointer(rebasing: scratch[..<(part.count * elementBytes)])
        try file.read(at: offset + start * elementBytes, into: bytes, place)
        Conversion.convert(UnsafeRawBufferPointer(bytes), of: type, into: part)
      }
    }
  }
}
