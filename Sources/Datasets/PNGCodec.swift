import CImageCodecs
import CImageFiles

/// PNG through libpng.
enum PNGCodec {
  /// - Returns: the image as stored.
  /// - Throws: `ImageError.undecodable`.
  static func decode(_ bytes: [UInt8], _ header: ImageHeader, name: String) throws -> Image {
    let channels = header.hasAlpha ? 4 : 3
    let size = header.width * header.height * channels
    var messages = CImageMessages()
    var isDecoded = false
    let pixels = [UInt8](unsafeUninitializedCapacity: size) { pixels, count in
      isDecoded = CImageDecodePNG(
        bytes, bytes.count, Int32(channels), pixels.baseAddress, UInt32(header.width), UInt32(header.height), &messages)
      count = isDecoded ? size : 0
    }
    guard isDecoded else { throw ImageError.undecodable(file: name, format: "PNG", reason: messages.errorText) }
    return Image(width: header.width, height: header.height, pixels: header.hasAlpha ? overBlack(pixels) : pixels)
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
