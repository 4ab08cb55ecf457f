/// Names what is found where a JPEG or PNG image is expected.
enum ForeignFormat {
  /// - Parameter start: the first bytes of the file, some hundred.
  static func describe(_ start: [UInt8]) -> String {
    if start.isEmpty { return "it is empty" }
    if start.allSatisfy({ $0 == 0 }) { return "it starts with zeros, as a file does whose download or copy was cut off" }
    func has(_ text: String, at offset: Int = 0) -> Bool { start.dropFirst(offset).starts(with: text.utf8) }
    if has("RIFF") && has("WEBP", at: 8) { return convert("a WebP image") }
    if has("ftyp", at: 4) {
      let brand = String(decoding: start.dropFirst(8).prefix(4), as: UTF8.self)
      if ["avif", "avis"].contains(brand) { return convert("an AVIF image") }
      if ["heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"].contains(brand) { return convert("a HEIC image") }
      return "it is a video or another file in the MP4 container"
    }
    for (signature, name) in signatures where start.starts(with: signature) { return convert(name) }
    for (signature, name) in others where start.starts(with: signature) { return "it is \(name)" }
    let original = String(decoding: start, as: UTF8.self).drop { $0.isWhitespace || $0 == "\u{FEFF}" }
    let text = original.lowercased()
    if text.hasPrefix("version https://git-lfs") {
      return "it is a Git LFS pointer, not the image itself: fetch that with \"git lfs pull\""
    }
    if text.hasPrefix("<svg") || text.contains("<svg ") { return convert("an SVG drawing") }
    if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") || text.contains("<head>") || text.contains("<body") {
      return "it is an HTML page, as a failed download leaves"
    }
    if text.hasPrefix("<?xml") { return "it is an XML file" }
    if text.hasPrefix("{") || text.hasPrefix("[") { return "it is a JSON text" }
    if start.allSatisfy({ (0x20...0x7E).contains($0) || (9...13).contains($0) }) {
      return "it is a text that begins with \"\(original.prefix(30).prefix { $0 != "\n" && $0 != "\r\n" })\""
    }
    let bytes = start.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    return "it starts with the bytes \(bytes.joined(separator: " "))"
  }

  private static func convert(_ name: String) -> String { "it is \(name): convert it to JPEG or PNG" }

  private static let signatures: [([UInt8], String)] = [
    (Array("GIF8".utf8), "a GIF image"), (Array("BM".utf8), "a BMP image"),
    ([0x49, 0x49, 42, 0], "a TIFF image"), ([0x4D, 0x4D, 0, 42], "a TIFF image"), ([0x49, 0x49, 43, 0], "a BigTIFF image"),
    ([0x4D, 0x4D, 0, 43], "a BigTIFF image"), ([0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20], "a JPEG 2000 image"),
    ([0xFF, 0x4F, 0xFF, 0x51], "a JPEG 2000 image"), ([0xFF, 0x0A], "a JPEG XL image"),
    ([0, 0, 0, 12, 0x4A, 0x58, 0x4C, 0x20], "a JPEG XL image"), (Array("8BPS".utf8), "a Photoshop file"),
    ([0, 0, 1, 0], "an icon"), (Array("%PDF".utf8), "a PDF document"), (Array("P5".utf8), "a PGM image"),
    (Array("P6".utf8), "a PPM image"), ([0x76, 0x2F, 0x31, 0x01], "an OpenEXR image"), (Array("#?RADIANCE".utf8), "an HDR image"),
  ]
  private static let others: [([UInt8], String)] = [
    (Array("PK\u{3}\u{4}".utf8), "a ZIP archive"), ([0x1F, 0x8B], "a gzip archive"), ([0x89, 0x48, 0x44, 0x46], "an HDF5 file"),
    ([0xD8, 0xFF, 0xE0], "a JPEG image that has lost its first byte"), ([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59], "a NumPy array"),
    // A PNG whose line ends were converted: the first bytes are made to show that.
    ([0x89, 0x50, 0x4E, 0x47, 0x0A], "a PNG image damaged by a transfer as text"),
    ([0xEF, 0xBF, 0xBD, 0x50, 0x4E, 0x47], "a PNG image damaged by a conversion of text"),
    ([0xEF, 0xBF, 0xBD, 0xEF, 0xBF, 0xBD], "a binary file damaged by a conversion of text"),
  ]
}
