import Foundation

extension Image {
  /// Larger images are refused before memory is taken for them: a file of some kilobytes can claim billions of pixels.
  public static let maximumPixelCount = 200_000_000

  /// Reads a JPEG or PNG file; its content decides which, not its name.
  ///
  /// Grey and palette become RGB, CMYK (Adobe's inverted kind) is converted, 16 bits are cut to 8, transparency is laid
  /// over black, and EXIF orientation is applied, so that `width` and `height` are those a viewer shows.
  /// - Throws: `ImageError`.
  public init(contentsOf path: String) throws { try self.init(decoding: try readBytes(of: path), name: path) }

  /// Decodes the bytes of a JPEG or PNG file, as `init(contentsOf:)`.
  /// - Parameter name: what errors call the image.
  /// - Throws: `ImageError`.
  public init(decoding bytes: [UInt8], name: String) throws {
    if JPEGCodec.recognizes(bytes) {
      self = try JPEGCodec.decode(bytes, name: name).image
    } else if PNGCodec.recognizes(bytes) {
      self = try PNGCodec.decode(bytes, name: name)
    } else {
      throw ImageError.unknownFormat(file: name, firstBytes: Array(bytes.prefix(8)))
    }
  }

  /// The bytes of an 8-bit RGB PNG file.
  /// - Throws: `ImageError.unwritable`, for an image without pixels.
  public func pngData() throws -> [UInt8] {
    try PNGCodec.encode(self)
  }

  /// Writes a PNG file; readers see the old file or the whole new one, never a part.
  /// - Throws: `ImageError.unwritable`.
  public func writePNG(to path: String) throws {
    try writeAtomically(try named(path) { try PNGCodec.encode(self) }, to: path)
  }

  /// Writes a JPEG file without chroma subsampling, as atomically as `writePNG(to:)`.
  /// - Parameter quality: 1...100.
  /// - Throws: `ImageError.unwritable`.
  public func writeJPEG(to path: String, quality: Int = 90) throws {
    try writeAtomically(try named(path) { try JPEGCodec.encode(self, quality: quality) }, to: path)
  }

  static func checkPixelCount(width: Int, height: Int, name: String) throws {
    let (count, overflow) = width.multipliedReportingOverflow(by: height)
    if overflow || count > maximumPixelCount { throw ImageError.tooLarge(file: name, width: width, height: height) }
  }
}

/// An image that may have fewer pixels than its file.
struct SizedImage {
  var image: Image
  /// Of the file, upright.
  var width: Int
  var height: Int

  /// As `Image.init(contentsOf:)`, but with no more pixels than the options' averaging resize makes use of, as far as JPEG
  /// can do that: see `JPEGCodec.decode`.
  init(contentsOf path: String, for options: InputOptions) throws {
    let bytes = try readBytes(of: path)
    if options.interpolation == .antialiased, JPEGCodec.recognizes(bytes) {
      self = try JPEGCodec.decode(bytes, name: path, smallest: options.resizedSize)
    } else {
      let image = try Image(decoding: bytes, name: path)
      self.init(image: image, width: image.width, height: image.height)
    }
  }

  init(image: Image, width: Int, height: Int) {
    self.image = image
    self.width = width
    self.height = height
  }
}

private func readBytes(of path: String) throws -> [UInt8] {
  do {
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  } catch {
    throw ImageError.unreadable(file: path, reason: fileErrorReason(error))
  }
}

private func writeAtomically(_ bytes: [UInt8], to path: String) throws {
  do {
    try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
  } catch {
    throw ImageError.unwritable(file: path, reason: fileErrorReason(error))
  }
}

/// Encoders know no file: give their errors its name.
private func named<T>(_ path: String, _ body: () throws -> T) throws -> T {
  do {
    return try body()
  } catch ImageError.unwritable(_, let reason) {
    throw ImageError.unwritable(file: path, reason: reason)
  }
}

/// The system's words where there are any ("No such file or directory").
package func fileErrorReason(_ error: any Error) -> String {
  if let system = (error as? CocoaError)?.underlying as? POSIXError { return String(cString: strerror(system.code.rawValue)) }
  return error.localizedDescription
}
