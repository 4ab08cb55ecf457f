/// The orientation in EXIF's TIFF structure and in XMP, read as Pillow's `ImageOps.exif_transpose` does, value by value:
/// what a data set's makers saw is what is trained on.
enum EXIF {
  /// What an EXIF segment of JPEG starts with.
  static let name = Array("Exif\0\0".utf8)

  /// - Parameter block: a TIFF header with its directory, with or without `name` before it.
  /// - Returns: nil where it says nothing of the orientation; `upright` where it says what is none.
  static func orientation(of block: inout some ByteSource) throws -> Orientation? {
    var base = 0
    while try block.bytes(at: base, count: name.count).elementsEqual(name) { base += name.count }
    let isLittleEndian: Bool
    switch [UInt8](try block.bytes(at: base, count: 4)) {
    case [0x49, 0x49, 42, 0], [0x49, 0x49, 0, 42]: isLittleEndian = true
    case [0x4D, 0x4D, 0, 42], [0x4D, 0x4D, 42, 0]: isLittleEndian = false
    default: return nil
    }
    func number(_ position: Int, _ length: Int) throws -> Int? {
      try block.number(at: base + position, bytes: length, isLittleEndian: isLittleEndian)
    }
    guard let directory = try number(4, 4), let entries = try number(directory, 2) else { return nil }
    // Values elsewhere may not be larger than the block all in all, and one out of reach ends the directory.
    var elsewhere = 0
    for entry in 0..<entries {
      let position = directory + 2 + 12 * entry
      guard let tag = try number(position, 2), let type = try number(position + 2, 2),
        let count = try number(position + 4, 4), let offset = try number(position + 8, 4)
      else { break }
      guard let size = sizes[type], count > 0 else { continue }
      var place = position + 8
      if count * size > 4 {
        elsewhere += count * size
        if base + elsewhere > block.count { continue }
        place = offset
        if base + place + count * size > block.count { break }
      }
      if tag == 0x0112 { return try orientation(type, size: size) { try number(place + $0, $1) ?? 0 } }
    }
    return nil
  }

  /// - Parameter xmp: a packet of XML.
  static func orientation(xmp: some Collection<UInt8>) -> Orientation {
    let text = String(decoding: xmp, as: UTF8.self)
    guard let match = text.firstMatch(of: /tiff:Orientation(?:="|>)([0-9])/), let value = Int(match.output.1) else {
      return .upright
    }
    return Orientation(value)
  }

  /// TIFF's types and their sizes in bytes.
  private static let sizes = [1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8]

  /// - Parameter number: the whole number of so many bytes at an offset into the value.
  private static func orientation(
    _ type: Int, size: Int, _ number: (_ offset: Int, _ bytes: Int) throws -> Int
  ) rethrows -> Orientation {
    switch type {
    case 1, 2, 7: return .upright  // bytes and texts are no numbers
    case 5, 10:
      let (numerator, denominator) = (try number(0, 4), try number(4, 4))
      guard denominator > 0, numerator % denominator == 0 else { return .upright }
      return Orientation(numerator / denominator)
    case 11: return Orientation(Int(exactly: Float(bitPattern: UInt32(try number(0, 4)))) ?? 0)
    case 12: return Orientation(Int(exactly: Double(bitPattern: UInt64(bitPattern: Int64(try number(0, 8))))) ?? 0)
    default: return Orientation(try number(0, size))
    }
  }
}

extension Orientation {
  fileprivate init(_ value: Int) { self = UInt16(exactly: value).flatMap(Orientation.init(rawValue:)) ?? .upright }
}
