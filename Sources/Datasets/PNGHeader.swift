import CZlib

/// The chunks of a PNG file. All are visited, though not read, as EXIF may come after the pixels.
enum PNGHeader {
  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// - Throws: `ImageError.undecodable`, also where the last chunk is missing; what reading throws.
  static func read<Source: ByteSource>(_ source: inout Source, name: String) throws -> ImageHeader {
    func broken(_ reason: String) -> ImageError { .undecodable(file: name, format: "PNG", reason: reason) }
    var header: ImageHeader?
    var exif: Range<Int>?
    var texts = Texts()
    var position = signature.count
    while let length = try source.number(at: position, bytes: 4) {
      let kind = String(decoding: try source.bytes(at: position + 4, count: 4), as: UTF8.self)
      let body = position + 8..<position + 8 + length
      guard body.upperBound + 4 <= source.count else { break }
      if (header == nil) != (kind == "IHDR") { throw broken("its first chunk, and no other, is the header") }
      switch kind {
      case "IHDR":
        let bytes = [UInt8](try source.bytes(at: body.lowerBound, count: 13))
        func number(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        guard length == 13, bytes.count == 13 else { throw broken("its header has \(length) bytes in place of 13") }
        header = ImageHeader(.png, width: number(0), height: number(4), hasAlpha: bytes[9] & 4 != 0)
      case "tRNS": header?.hasAlpha = true
      case "eXIf": exif = body
      case "tEXt", "zTXt", "iTXt": texts.add(try source.bytes(at: body.lowerBound, count: min(length, Texts.limit)), kind)
      case "IEND":
        guard var header else { break }
        header.orientation = try orientation(exif, texts, of: source) ?? .upright
        return header
      default: break
      }
      position = body.upperBound + 4
    }
    throw broken("it ends before its last chunk")
  }

  /// From the chunk of that name, or as ImageMagick hides EXIF in a text, or from XMP.
  private static func orientation(
    _ exif: Range<Int>?, _ texts: Texts, of source: some ByteSource
  ) throws -> Orientation? {
    var found: Orientation?
    if let exif {
      var block = JoinedBytes([exif], of: source)
      found = try EXIF.orientation(of: &block)
    } else if var block = texts.profile {
      found = try EXIF.orientation(of: &block)
    }
    return found ?? texts.xmp.map { EXIF.orientation(xmp: $0[...]) }
  }
}

/// The texts that may hold an orientation.
private struct Texts {
  /// Longer ones are cut.
  static let limit = 1 << 20
  private(set) var xmp: [UInt8]?
  private(set) var profile: [UInt8]?

  mutating func add(_ chunk: ArraySlice<UInt8>, _ kind: String) {
    let fields = chunk.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    guard fields.count == 2 else { return }
    switch String(decoding: fields[0], as: UTF8.self) {
    case "XML:com.adobe.xmp": xmp = Self.text(fields[1], kind) ?? xmp
    case "Raw profile type exif": profile = Self.text(fields[1], kind).flatMap(Self.bytes) ?? profile
    default: break
    }
  }

  /// - Parameter field: what follows the key's 0.
  private static func text(_ field: ArraySlice<UInt8>, _ kind: String) -> [UInt8]? {
    switch kind {
    case "tEXt": return Array(field)
    case "zTXt": return inflated(field.dropFirst())
    default:
      guard let isCompressed = field.first else { return nil }
      // The method, then the language and the translated key, each with a 0 behind it.
      let fields = field.dropFirst(2).split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return nil }
      return isCompressed == 0 ? Array(fields[2]) : inflated(fields[2])
    }
  }

  private static func inflated(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
    var count = uLongf(limit)
    var result = [UInt8](repeating: 0, count: limit)
    guard uncompress(&result, &count, Array(bytes), uLong(bytes.count)) == Z_OK else { return nil }
    return Array(result.prefix(Int(count)))
  }

  /// A text of two lines, the second a length, and lines of hexadecimal digits after an empty one.
  private static func bytes(_ text: [UInt8]) -> [UInt8]? {
    let digits = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropFirst(3).joined()
      .compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}
