/// The segments of a JPEG file up to its first scan.
enum JPEGHeader {
  static let signature: [UInt8] = [0xFF, 0xD8, 0xFF]

  /// - Throws: `ImageError.undecodable`; what reading throws.
  static func read<Source: ByteSource>(_ source: inout Source, name: String) throws -> ImageHeader {
    func broken(_ reason: String) -> ImageError { .undecodable(file: name, format: "JPEG", reason: reason) }
    var header: ImageHeader?
    var exif: [Range<Int>] = []
    var xmp: Range<Int>?
    var position = 2
    while let marker = try nextMarker(&source, &position) {
      if marker == 0xD9 { break }
      // Those without a length: TEM, RST0...7, SOI.
      if marker == 0x01 || (0xD0...0xD8).contains(marker) { continue }
      guard let length = try source.number(at: position, bytes: 2) else { break }
      let body = position + 2..<position + max(2, length)
      switch marker {
      case 0xC0...0xCF where ![0xC4, 0xC8, 0xCC].contains(marker):
        guard header == nil else { throw broken("it has two frames") }
        header = try frame(marker, at: body, of: &source, broken)
      case 0xE1:
        let start = try source.bytes(at: body.lowerBound, count: min(body.count, xmpName.count))
        if start.starts(with: EXIF.name) {
          // One block may be spread over several segments.
          exif.append(body.lowerBound + EXIF.name.count..<body.upperBound)
        } else if start.elementsEqual(xmpName) {
          xmp = body.lowerBound + xmpName.count..<body.upperBound
        }
      case 0xDA:
        guard var header else { throw broken("it has no frame before its first scan") }
        var block = JoinedBytes(exif, of: source)
        if let orientation = try EXIF.orientation(of: &block) {
          header.orientation = orientation
        } else if let xmp {
          header.orientation = EXIF.orientation(xmp: try source.bytes(at: xmp.lowerBound, count: xmp.count))
        }
        return header
      default: break
      }
      position = body.upperBound
    }
    throw broken("it ends before its first scan")
  }

  private static let xmpName = Array("http://ns.adobe.com/xap/1.0/\0".utf8)

  /// Passes over the fill bytes and the stray ones before a marker.
  /// - Returns: nil at the file's end.
  private static func nextMarker(_ source: inout some ByteSource, _ position: inout Int) throws -> UInt8? {
    var follows = false
    while true {
      let bytes = try source.bytes(at: position, count: 1024)
      if bytes.isEmpty { return nil }
      for byte in bytes {
        position += 1
        if follows && byte != 0xFF && byte != 0 { return byte }
        follows = byte == 0xFF
      }
    }
  }

  private static func frame(
    _ marker: UInt8, at body: Range<Int>, of source: inout some ByteSource, _ broken: (String) -> ImageError
  ) throws -> ImageHeader {
    let bytes = [UInt8](try source.bytes(at: body.lowerBound, count: min(body.count, 6)))
    guard bytes.count == 6 else { throw broken("its frame header is too short") }
    // Sequential and progressive, in Huffman's and arithmetic coding.
    guard [0xC0, 0xC1, 0xC2, 0xC9, 0xCA].contains(marker) else {
      throw broken("it is of a kind that is not read: lossless or hierarchical")
    }
    guard bytes[0] == 8 else { throw broken("it has \(bytes[0]) bits a colour; 8 are read") }
    guard [1, 3, 4].contains(bytes[5]) else { throw broken("it has \(bytes[5]) colours; 1, 3 or 4 are read") }
    return ImageHeader(.jpeg, width: Int(bytes[3]) << 8 | Int(bytes[4]), height: Int(bytes[1]) << 8 | Int(bytes[2]))
  }
}
