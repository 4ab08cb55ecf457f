/// How a stored image is turned to be upright: EXIF's tag 0x0112, 1...8.
enum Orientation: UInt16, CaseIterable, Sendable {
  case upright = 1, mirrored, upsideDown, mirroredUpsideDown, transposed, turnedRight, transversed, turnedLeft

  var swapsSides: Bool { rawValue >= 5 }
}

extension Image {
  /// The upright image.
  func oriented(_ orientation: Orientation) -> Image {
    if orientation == .upright { return self }
    let stored = (width: width, height: height)
    let size = orientation.swapsSides ? (width: height, height: width) : stored
    // Output pixel (x, y) is stored at origin + x * stepX + y * stepY.
    let right = 1, down = stored.width
    let lastColumn = stored.width - 1, lastRow = (stored.height - 1) * stored.width
    let (origin, stepX, stepY): (Int, Int, Int) =
      switch orientation {
      case .upright: (0, right, down)
      case .mirrored: (lastColumn, -right, down)
      case .upsideDown: (lastColumn + lastRow, -right, -down)
      case .mirroredUpsideDown: (lastRow, right, -down)
      case .transposed: (0, down, right)
      case .turnedRight: (lastRow, -down, right)
      case .transversed: (lastColumn + lastRow, -down, -right)
      case .turnedLeft: (lastColumn, down, -right)
      }
    var output = [UInt8](repeating: 0, count: pixels.count)
    output.withUnsafeMutableBufferPointer { output in
      pixels.withUnsafeBufferPointer { pixels in
        var target = 0
        for y in 0..<size.height {
          var source = (origin + y * stepY) * 3
          for _ in 0..<size.width {
            output[target] = pixels[source]
            output[target + 1] = pixels[source + 1]
            output[target + 2] = pixels[source + 2]
            target += 3
            source += stepX * 3
          }
        }
      }
    }
    return Image(width: size.width, height: size.height, pixels: output)
  }

  /// Left and right exchanged.
  public func flippedHorizontally() -> Image { oriented(.mirrored) }
}
