/// An 8-bit RGB image, rows top down, pixels interleaved.
public struct Image: Hashable, Sendable {
  public let width: Int
  public let height: Int
  /// `height * width * 3` bytes.
  public var pixels: [UInt8]

  /// - Precondition: `pixels.count == width * height * 3`.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(pixels.count == width * height * 3, "\(width)x\(height) RGB does not hold \(pixels.count) bytes")
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  public init(width: Int, height: Int, grey: UInt8 = 0) {
    self.init(width: width, height: height, pixels: Array(repeating: grey, count: width * height * 3))
  }
}
