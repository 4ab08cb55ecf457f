import CImageCodecs

/// PNG through libpng's simplified interface.
enum PNGCodec {
  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  static func recognizes(_ bytes: [UInt8]) -> Bool { bytes.starts(with: signature) }

  static func decode(_ bytes: [UInt8], name: String) throws -> Image {
    func broken(_ reason: String) -> ImageError { .undecodable(file: name, format: "PNG", reason: reason) }
    let chunks = PNGChunks(bytes)
    var png = png_image()
    png.version = png_uint_32(PNG_IMAGE_VERSION)
    defer { png_image_free(&png) }
    // libpng keeps the pointer until the read is finished.
    return try bytes.withUnsafeBytes { raw in
      guard png_image_begin_read_from_memory(&png, raw.baseAddress, raw.count) != 0 else { throw broken(message(png)) }
      let width = Int(png.width), height = Int(png.height)
      try Image.checkPixelCount(width: width, height: height, name: name)
      guard chunks.isComplete else { throw broken("it ends before its last chunk") }

      let hasAlpha = png.format & png_uint_32(PNG_FORMAT_FLAG_ALPHA) != 0
      png.format = png_uint_32(PNG_FORMAT_FLAG_COLOR) | (hasAlpha ? png_uint_32(PNG_FORMAT_FLAG_ALPHA) : 0)
      png.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)  // 16 bits say nothing of linear light
      let channels = hasAlpha ? 4 : 3
      var pixels = [UInt8](repeating: 0, count: width * height * channels)
      guard png_image_finish_read(&png, nil, &pixels, png_int_32(width * channels), nil) != 0 else {
        throw broken(message(png))
      }
      let image = Image(width: width, height: height, pixels: hasAlpha ? overBlack(pixels) : pixels)
      return chunks.exif.map { image.oriented(Orientation(exif: $0)) } ?? image
    }
  }

  static func encode(_ image: Image) throws -> [UInt8] {
    var png = png_image()
    png.version = png_uint_32(PNG_IMAGE_VERSION)
    png.width = png_uint_32(image.width)
    png.height = png_uint_32(image.height)
    png.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
    defer { png_image_free(&png) }
    // Room for data that does not compress; when it is not enough, libpng says how much is.
    var size = png_alloc_size_t(image.pixels.count + image.pixels.count / 512 + image.height + 4096)
    for _ in 0..<2 {
      var bytes = [UInt8](repeating: 0, count: Int(size))
      if png_image_write_to_memory(&png, &bytes, &size, 0, image.pixels, 0, nil) != 0 {
        return Array(bytes.prefix(Int(size)))
      }
      if Int(size) <= bytes.count { break }
    }
    throw ImageError.unwritable(file: "PNG", reason: message(png))
  }

  private static func message(_ png: png_image) -> String {
    let text = withUnsafeBytes(of: png.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return text.isEmpty ? "unknown error" : text
  }

  private static func overBlack(_ rgba: [UInt8]) -> [UInt8] {
    var rgb = [UInt8](repeating: 0, count: rgba.count / 4 * 3)
    for pixel in 0..<rgba.count / 4 {
      let alpha = Int(rgba[pixel * 4 + 3])
      for channel in 0..<3 {
        rgb[pixel * 3 + channel] = UInt8((Int(rgba[pixel * 4 + channel]) * alpha + 127) / 255)
      }
    }
    return rgb
  }
}

/// What libpng's simplified interface does not tell: whether the file is whole, and its EXIF block.
struct PNGChunks {
  private(set) var isComplete = false
  private(set) var exif: [UInt8]?

  init(_ bytes: [UInt8]) {
    var position = PNGCodec.signature.count
    while position + 12 <= bytes.count {
      let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      let body = position + 8
      guard length <= bytes.count - body - 4 else { return }
      switch String(decoding: bytes[position + 4..<body], as: UTF8.self) {
      case "eXIf": exif = Array("Exif\0\0".utf8) + bytes[body..<body + length]
      case "IEND":
        isComplete = true
        return
      default: break
      }
      position = body + length + 4
    }
  }
}
