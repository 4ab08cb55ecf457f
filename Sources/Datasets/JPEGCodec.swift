import CImageFiles
import Foundation

/// JPEG through libjpeg-turbo.
enum JPEGCodec {
  /// - Parameter divisor: 1, 2, 4 or 8: of the sides; parts of a pixel become a pixel.
  /// - Returns: the image as stored, and what is damaged in it, though all rows are there.
  /// - Throws: `ImageError.undecodable` where rows are missing.
  static func decode(
    _ bytes: [UInt8], _ header: ImageHeader, name: String, divisor: Int = 1
  ) throws -> (image: Image, warning: String?) {
    let (width, height) = ((header.width + divisor - 1) / divisor, (header.height + divisor - 1) / divisor)
    var messages = CImageMessages()
    var isDecoded = false
    let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { pixels, count in
      isDecoded = CImageDecodeJPEG(
        bytes, bytes.count, Int32(divisor), pixels.baseAddress, UInt32(width), UInt32(height), &messages)
      count = isDecoded ? width * height * 3 : 0
    }
    guard isDecoded else { throw ImageError.undecodable(file: name, format: "JPEG", reason: messages.errorText) }
    return (Image(width: width, height: height, pixels: pixels), messages.warningText)
  }

  static func encode(_ image: Image, quality: Int) throws -> [UInt8] {
    var messages = CImageMessages()
    var file: UnsafeMutablePointer<UInt8>?
    var count = 0
    defer { free(file) }
    guard
      CImageEncodeJPEG(
        image.pixels, UInt32(clamping: image.width), UInt32(clamping: image.height), Int32(min(max(quality, 1), 100)),
        &file, &count, &messages)
    else { throw ImageError.unwritable(file: "JPEG", reason: messages.errorText) }
    return Array(UnsafeBufferPointer(start: file, count: count))
  }

  /// The largest of 8, 4, 2 and 1 by which a file's sides can be divided and still leave the resize 1.5 times the pixels of a
  /// side: closer to its size the resize would see block averages in place of its own filter's.
  static func divisor(for header: ImageHeader, resizedTo size: (Int, Int) -> (width: Int, height: Int)) -> Int {
    let full = header.uprightSize
    let wanted = size(full.width, full.height)
    return [8, 4, 2].first { 3 * $0 * wanted.width <= 2 * full.width && 3 * $0 * wanted.height <= 2 * full.height } ?? 1
  }
}

extension CImageMessages {
  var errorText: String { Self.text(error) ?? "unknown error" }
  var warningText: String? { Self.text(warning) }

  private static func text<Characters>(_ characters: Characters) -> String? {
    let text = withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return text.isEmpty ? nil : text
  }
}
