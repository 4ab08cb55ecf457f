import CImageCodecs

/// JPEG through libjpeg-turbo.
enum JPEGCodec {
  static func recognizes(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0xFF, 0xD8, 0xFF]) }

  /// - Parameter smallest: gives the size that the image is going to be resized to, for that of the file, both upright. Where
  ///   a half, quarter or eighth of the file's leaves the resize 1.5 times the pixels of a side, no more is decoded: closer to
  ///   its size the resize would see block averages in place of its own filter's. nil decodes all.
  static func decode(
    _ bytes: [UInt8], name: String, smallest: ((_ width: Int, _ height: Int) -> (width: Int, height: Int))? = nil
  ) throws -> SizedImage {
    func broken(_ reason: String) -> ImageError { .undecodable(file: name, format: "JPEG", reason: reason) }
    guard let codec = tjInitDecompress() else { throw broken("no decoder: \(lastError(nil))") }
    defer { tjDestroy(codec) }

    var width: Int32 = 0, height: Int32 = 0, subsampling: Int32 = -1, colorspace: Int32 = -1
    let size = UInt(bytes.count)
    let header = tjDecompressHeader3(codec, bytes, size, &width, &height, &subsampling, &colorspace)
    // The header call also fails on chroma subsamplings it has no name for, which decode well nonetheless.
    guard header == 0 || (width > 0 && height > 0 && colorspace >= 0) else { throw broken(lastError(codec)) }
    try Image.checkPixelCount(width: Int(width), height: Int(height), name: name)

    let orientation = Orientation(exif: bytes)
    let full = orientation.swapsSides ? (width: Int(height), height: Int(width)) : (width: Int(width), height: Int(height))
    if let wanted = smallest?(full.width, full.height) {
      func suffices(_ divisor: Int) -> Bool {
        3 * divisor * wanted.width <= 2 * full.width && 3 * divisor * wanted.height <= 2 * full.height
      }
      let divisor = [8, 4, 2].first(where: suffices) ?? 1
      // libjpeg-turbo decodes into the size that it is asked for; parts of a pixel become a pixel.
      (width, height) = ((width + Int32(divisor) - 1) / Int32(divisor), (height + Int32(divisor) - 1) / Int32(divisor))
    }
    let isCMYK = colorspace == Int32(TJCS_CMYK.rawValue) || colorspace == Int32(TJCS_YCCK.rawValue)
    let format = isCMYK ? TJPF_CMYK : TJPF_RGB
    var pixels = [UInt8](repeating: 0, count: Int(width) * Int(height) * (isCMYK ? 4 : 3))
    let status = tjDecompress2(
      codec, bytes, size, &pixels, width, 0, height, Int32(format.rawValue), Int32(TJFLAG_LIMITSCANS))
    if status != 0 {
      // Stray bytes between segments are common in the wild and harm nothing; any other warning means lost pixels.
      let reason = lastError(codec)
      let isWarning = tjGetErrorCode(codec) == Int32(TJERR_WARNING.rawValue)
      guard isWarning && reason.contains("extraneous bytes") else { throw broken(reason) }
    }
    let image = Image(width: Int(width), height: Int(height), pixels: isCMYK ? rgb(invertedCMYK: pixels) : pixels)
    return SizedImage(image: image.oriented(orientation), width: full.width, height: full.height)
  }

  static func encode(_ image: Image, quality: Int) throws -> [UInt8] {
    guard let codec = tjInitCompress() else { throw ImageError.unwritable(file: "JPEG", reason: lastError(nil)) }
    defer { tjDestroy(codec) }
    var buffer: UnsafeMutablePointer<UInt8>?
    defer { tjFree(buffer) }
    var size: UInt = 0
    let status = tjCompress2(
      codec, image.pixels, Int32(clamping: image.width), 0, Int32(clamping: image.height), Int32(TJPF_RGB.rawValue),
      &buffer, &size, Int32(TJSAMP_444.rawValue), Int32(min(max(quality, 1), 100)), 0)
    guard status == 0, let buffer else { throw ImageError.unwritable(file: "JPEG", reason: lastError(codec)) }
    return Array(UnsafeBufferPointer(start: buffer, count: Int(size)))
  }

  private static func lastError(_ codec: tjhandle?) -> String {
    tjGetErrorStr2(codec).map { String(cString: $0) } ?? "unknown error"
  }

  /// Adobe writes CMYK inverted (255 is no ink): each colour is then the product of its ink's and the black's.
  private static func rgb(invertedCMYK cmyk: [UInt8]) -> [UInt8] {
    var rgb = [UInt8](repeating: 0, count: cmyk.count / 4 * 3)
    for pixel in 0..<cmyk.count / 4 {
      let black = Int(cmyk[pixel * 4 + 3])
      for channel in 0..<3 {
        rgb[pixel * 3 + channel] = UInt8((Int(cmyk[pixel * 4 + channel]) * black + 127) / 255)
      }
    }
    return rgb
  }
}
