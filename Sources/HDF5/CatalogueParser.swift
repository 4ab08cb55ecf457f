import Suggestions

/// Reads the records of `CHDF5Catalogue` (catalogue.c defines them). They are as little to be trusted as the file: every
/// count and length is checked against what is there.
struct CatalogueParser {
  /// Where and why the records end or stop making sense.
  struct Failure: Error {
    var object: String
    var attribute: String?
    /// What the describing process said; nil when the records break off.
    var reason: HDF5Error.Reason?
  }

  private var bytes: UnsafeRawBufferPointer
  private var names: [FileName] = []
  private var attribute: FileName?
  private var objects: [Catalogue.Object] = []
  private var indexes: [UInt64: Int] = [:]
  private let limits: HDF5Limits

  /// - Throws: `Failure`.
  static func parse(_ bytes: UnsafeRawBufferPointer, limits: HDF5Limits) throws -> Catalogue {
    var parser = CatalogueParser(bytes, limits: limits)
    if parser.peek == "e" { throw parser.failure(try parser.error()) }
    guard case .object(0) = try parser.object(), try parser.tag() == "z" else { throw parser.failure() }
    return Catalogue(objects: parser.objects)
  }

  private init(_ bytes: UnsafeRawBufferPointer, limits: HDF5Limits) {
    self.bytes = bytes
    self.limits = limits
  }

  private func failure(_ reason: HDF5Error.Reason? = nil) -> Failure {
    Failure(object: "/" + names.map(\.shown).joined(separator: "/"), attribute: attribute?.shown, reason: reason)
  }

  // MARK: Values

  private mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
    guard count >= 0, count <= bytes.count else { throw failure() }
    defer { bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(count)) }
    return UnsafeRawBufferPointer(rebasing: bytes.prefix(count))
  }

  private mutating func number<N: FixedWidthInteger>(_ type: N.Type = N.self) throws -> N {
    try take(MemoryLayout<N>.size).loadUnaligned(as: N.self)
  }

  /// A count, size or offset.
  private mutating func count() throws -> Int {
    guard let value = Int(exactly: try number(UInt64.self)) else { throw failure() }
    return value
  }

  private mutating func text() throws -> String { FileName(try data()).shown }
  private mutating func data() throws -> [UInt8] { Array(try take(try count())) }
  private mutating func tag() throws -> Unicode.Scalar { Unicode.Scalar(try number(UInt8.self)) }
  private var peek: Unicode.Scalar? { bytes.first.map { Unicode.Scalar($0) } }

  private mutating func error() throws -> HDF5Error.Reason {
    guard try tag() == "e" else { throw failure() }
    let code = try number(UInt8.self)
    let message = try text().escapedForDisplay
    switch code {
    case 0: return HDF5Error.Reason(library: message)
    case 1: return .tooLarge(message)
    case 2: return .refused(message)
    case 3: return .notHDF5
    case 4: return .ended(signal: Int32(message) ?? 0)
    default: throw failure()
    }
  }

  /// The end of a list, or why it was broken off.
  private mutating func end() throws -> HDF5Error.Reason? {
    if peek == "e" { return try error() }
    guard try tag() == "z" else { throw failure() }
    return nil
  }

  /// nil for the null space.
  private mutating func shape() throws -> [Int]? {
    let isNull = try number(UInt8.self) != 0
    let rank = Int(try number(UInt8.self))
    let extents = try (0..<rank).map { _ in Int(clamping: try number(UInt64.self)) }
    return isNull ? nil : extents
  }

  // MARK: Objects

  private mutating func object() throws -> Catalogue.Link.Target {
    if peek == "e" { return .failure(try error()) }
    switch try tag() {
    case "r":
      // Unknown is what could not be opened under another name either.
      return indexes[try number()].map { .object($0) } ?? .failure(.library("damaged: it cannot be opened"))
    case "g":
      let index = add(.group(Catalogue.Group()), address: try number())
      try attributes(of: index)
      objects[index].content = .group(try group())
      return .object(index)
    case "d":
      let address: UInt64 = try number()
      let index = add(.dataset(try dataset()), address: address)
      try attributes(of: index)
      return .object(index)
    case "t": return .object(add(.datatype, address: try number()))
    default: throw failure()
    }
  }

  private mutating func add(_ content: Catalogue.Content, address: UInt64) -> Int {
    indexes[address] = objects.count
    objects.append(Catalogue.Object(content: content))
    return objects.count - 1
  }

  private mutating func group() throws -> Catalogue.Group {
    guard names.count <= limits.depth + 1 else { throw failure() }
    var group = Catalogue.Group()
    while peek == "l" {
      _ = try tag()
      names.append(FileName(try data()))
      let target: Catalogue.Link.Target
      if peek == "e" {
        target = .failure(try error())
      } else {
        switch try tag() {
        case "h": target = try object()
        case "s": target = .path(try text())
        case "x": target = .outOfFile
        default: throw failure()
        }
      }
      group.links.append(Catalogue.Link(name: names.removeLast(), target: target))
    }
    group.failure = try end()
    group.links.sort { $0.name.bytes.lexicographicallyPrecedes($1.name.bytes) }
    for index in group.links.indices {
      while group.indexes[group.links[index].name.shown] != nil { group.links[index].name.distinguish() }
      group.indexes[group.links[index].name.shown] = index
    }
    return group
  }

  private mutating func attributes(of index: Int) throws {
    var known = Set<String>()
    while peek == "a" {
      _ = try tag()
      var name = FileName(try data())
      while !known.insert(name.shown).inserted { name.distinguish() }
      attribute = name
      let value: Result<Catalogue.RawValue, HDF5Error.Reason>
      if peek == "e" { value = .failure(try error()) } else { value = try attributeValue() }
      objects[index].attributes.append(Catalogue.Attribute(name: name, value: value))
      attribute = nil
    }
    objects[index].attributesFailure = try end()
  }

  private mutating func attributeValue() throws -> Result<Catalogue.RawValue, HDF5Error.Reason> {
    guard try tag() == "k" else { throw failure() }
    let type = try typeRecord()
    let shape = try shape()
    if peek == "e" { return .failure(try error()) }
    let payload: Catalogue.RawValue.Payload
    switch try tag() {
    case "v": payload = .bytes(try data())
    case "s":
      let texts = try count()
      // Each takes its length at least.
      guard texts <= bytes.count / 8 else { throw failure() }
      payload = .texts(try (0..<texts).map { _ in try text() })
    case "n": payload = .none
    default: throw failure()
    }
    return .success(Catalogue.RawValue(type: type, shape: shape, payload: payload))
  }

  // MARK: Datasets

  private mutating func typeRecord() throws -> TypeRecord {
    TypeRecord(
      typeClass: Int32(try number(Int8.self)), byteCount: try count(), order: Int32(try number(Int8.self)),
      sign: Int32(try number(Int8.self)), precision: Int(clamping: try number(UInt64.self)),
      offset: Int(try number(Int64.self)), fields: try (0..<5).map { _ in Int(clamping: try number(UInt64.self)) },
      normalization: Int32(try number(Int8.self)), bias: Int(clamping: try number(UInt64.self)),
      isVariableText: try number(UInt8.self) != 0, textPadding: Int32(try number(Int8.self)),
      tag: try text())
  }

  private mutating func dataset() throws -> Result<Catalogue.Description, HDF5Error.Reason> {
    if peek == "e" { return .failure(try error()) }
    guard try tag() == "k" else { throw failure() }
    let type = try typeRecord()
    let shape = try shape()
    let stored = Int(clamping: try number(UInt64.self))
    let fill = try fill()
    if peek == "e" { return .failure(try error()) }
    let layout: Catalogue.Description.Layout
    switch try tag() {
    case "c": layout = .compact(try data())
    case "o": layout = .contiguous(offset: Int(exactly: try number(UInt64.self)))
    case "k": layout = .chunked(try chunkTable())
    default: throw failure()
    }
    return .success(Catalogue.Description(type: type, shape: shape, storedBytes: stored, fill: fill, layout: layout))
  }

  private mutating func fill() throws -> Catalogue.Fill {
    switch try tag() {
    case "v": .value(try data())
    case "n": .zeros
    case "u": .none
    default: throw failure()
    }
  }

  private mutating func chunkTable() throws -> Catalogue.ChunkTable {
    let rank = Int(try number(UInt8.self))
    let extents = try (0..<rank).map { _ in Int(clamping: try number(UInt64.self)) }
    let filterCount = Int(try number(UInt8.self))
    let filters = try (0..<filterCount).map { _ in Int(try number(Int64.self)) }
    var table = Catalogue.ChunkTable(extents: extents, filters: filters, chunks: [])
    while peek == "c" {
      _ = try tag()
      table.chunks.append(
        .init(
          index: Int(clamping: try number(UInt64.self)), skippedFilters: try number(),
          address: Int(clamping: try number(UInt64.self)), byteCount: Int(clamping: try number(UInt64.self))))
    }
    table.failure = try end()
    return table
  }
}
