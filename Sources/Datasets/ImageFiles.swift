import Files
import Foundation

extension Image {
  /// Larger images are refused before memory is taken for them: a file of some kilobytes can claim billions of pixels.
  public static let maximumPixelCount = 200_000_000

  /// Reads a JPEG or PNG file; its content decides which, not its name.
  ///
  /// Pixels are those of Pillow with `ImageOps.exif_transpose`: as they are stored, whatever the file says of gamma and
  /// colour spaces. Grey and palette become RGB, CMYK (Adobe's inverted kind) is converted, of 16 bits the upper 8 are
  /// taken, transparency is laid over black, and the orientation in EXIF or XMP is applied, so that `width` and `height`
  /// are those a viewer shows.
  /// - Throws: `ImageError`. Damage that leaves no row out, which libjpeg warns of, is none.
  public init(contentsOf path: String) throws { self = try DecodedImage(contentsOf: path).image }

  /// Decodes the bytes of a JPEG or PNG file, as `init(contentsOf:)`.
  /// - Parameter name: what errors call the image.
  /// - Throws: `ImageError`.
  public init(decoding bytes: [UInt8], name: String) throws { self = try DecodedImage(bytes, name: name).image }

  /// The size in pixels of a JPEG or PNG file's upright image, from its header alone.
  /// - Throws: `ImageError`.
  public static func size(contentsOf path: String) throws -> (width: Int, height: Int) {
    try ImageHeader(contentsOf: path).uprightSize
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
}

/// An image out of a file, with what is known of that.
public struct DecodedImage: Sendable {
  /// Upright; it may have fewer pixels than its file.
  public var image: Image
  /// Of the file, upright.
  public var width: Int
  public var height: Int
  /// What is damaged in it, in libjpeg's words, though no row is missing. Pillow does not tell; the picture may show it.
  public var warning: String?

  /// As `Image.init(contentsOf:)`.
  public init(contentsOf path: String) throws { try self.init(try readBytes(of: path), name: path) }

  /// With no more pixels than the options' averaging resize makes use of, as far as JPEG can do that.
  init(contentsOf path: String, for options: InputOptions) throws {
    let bytes = try readBytes(of: path)
    switch options.interpolation {
    case .antialiased: try self.init(bytes, name: path) { options.resizedSize(width: $0, height: $1) }
    case .bilinear: try self.init(bytes, name: path)
    }
  }

  fileprivate init(
    _ bytes: [UInt8], name: String, resizedTo size: ((Int, Int) -> (width: Int, height: Int))? = nil
  ) throws {
    let header = try ImageHeader(bytes, name: name)
    (width, height) = header.uprightSize
    switch header.format {
    case .jpeg:
      let divisor = size.map { JPEGCodec.divisor(for: header, resizedTo: $0) } ?? 1
      let decoded = try JPEGCodec.decode(bytes, header, name: name, divisor: divisor)
      (image, warning) = (decoded.image, decoded.warning)
    case .png: image = try PNGCodec.decode(bytes, header, name: name)
    }
    image = image.oriented(header.orientation)
  }
}

private func readBytes(of path: String) throws -> [UInt8] {
  do {
    return try OrdinaryFile.bytes(of: path)
  } catch {
    throw ImageError.unreadable(file: path, reason: error.reason)
  }
}

private func writeAtomically(_ bytes: [UInt8], to path: String) throws {
  do {
    try AtomicFile.write(bytes, to: path)
  } catch let error as FileError {
    throw ImageError.unwritable(file: path, reason: error.reason)
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
