/// What an image file says of itself before its pixels, found without decoding any.
struct ImageHeader: Hashable {
  enum Format: String {
    case jpeg = "JPEG"
    case png = "PNG"
  }

  var format: Format
  /// As stored.
  var width: Int
  var height: Int
  /// How the stored image is turned for its viewer.
  var orientation: Orientation
  /// Whether the pixels have an alpha channel or a transparent colour (PNG).
  var hasAlpha = false

  /// Of the upright image.
  var uprightSize: (width: Int, height: Int) { orientation.swapsSides ? (height, width) : (width, height) }

  /// Of an ordinary file, of which some kilobytes are read.
  /// - Throws: `ImageError`.
  init(contentsOf path: String) throws { self = try FileBytes.reading(path) { try ImageHeader($0, name: path) } }

  /// - Parameter name: what errors call the image.
  /// - Throws: `ImageError` for other formats, damaged headers and too many pixels.
  init(_ source: some ByteSource, name: String) throws {
    var source = source
    let start = [UInt8](try source.bytes(at: 0, count: 512))
    if start.starts(with: JPEGHeader.signature) {
      self = try JPEGHeader.read(&source, name: name)
    } else if start.starts(with: PNGHeader.signature) {
      self = try PNGHeader.read(&source, name: name)
    } else {
      throw ImageError.unknownFormat(file: name, what: ForeignFormat.describe(start))
    }
    guard width > 0, height > 0 else {
      throw ImageError.undecodable(file: name, format: format.rawValue, reason: "it has \(width) x \(height) pixels")
    }
    let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
    if overflow || pixels > Image.maximumPixelCount { throw ImageError.tooLarge(file: name, width: width, height: height) }
  }

  init(_ format: Format, width: Int, height: Int, orientation: Orientation = .upright, hasAlpha: Bool = false) {
    (self.format, self.width, self.height) = (format, width, height)
    (self.orientation, self.hasAlpha) = (orientation, hasAlpha)
  }
}
