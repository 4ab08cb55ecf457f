/// Why an image could not be read or written. Each case names the file (or the name given with the bytes).
public enum ImageError: Error, Hashable, Sendable, CustomStringConvertible {
  case unreadable(file: String, reason: String)
  /// Neither JPEG nor PNG, judged by the first bytes; `what` says what it is.
  case unknownFormat(file: String, what: String)
  /// Cut short, damaged, or of a kind the codec does not know.
  case undecodable(file: String, format: String, reason: String)
  /// More than `Image.maximumPixelCount` pixels, found before any are allocated.
  case tooLarge(file: String, width: Int, height: Int)
  case unwritable(file: String, reason: String)

  public var description: String {
    switch self {
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .unknownFormat(let file, let what): "\(file): neither a JPEG nor a PNG image: \(what)"
    case .undecodable(let file, let format, let reason): "\(file): broken \(format) image: \(reason)"
    case .tooLarge(let file, let width, let height):
      "\(file): \(width) x \(height) pixels are more than the \(Image.maximumPixelCount) allowed"
    case .unwritable(let file, let reason): "\(file): cannot be written: \(reason)"
    }
  }
}
