import Parallel

extension NormalizationTables {
  /// Normalises an image and resizes it between its four nearest pixels, in 32-bit floats and in the order of PyTorch's
  /// `interpolate(mode="bilinear", align_corners=False)`, to the top left of three planes, whose rows are `width` long.
  func normalizeBilinear(
    _ image: Image, to size: (width: Int, height: Int), into planes: UnsafeMutableBufferPointer<Float>, width: Int
  ) {
    if size == (image.width, image.height) { return normalize(image, into: planes, width: width) }
    let columns = BilinearPositions(from: image.width, to: size.width)
    let rows = BilinearPositions(from: image.height, to: size.height)
    let plane = planes.count / 3
    nonisolated(unsafe) let planes = planes
    values.withUnsafeBufferPointer { values in
      image.pixels.withUnsafeBufferPointer { source in
        Parallel.forChunks(of: size.height, minimumChunk: max(1, 16384 / size.width)) { _, range in
          for y in range {
            let upper = 3 * image.width * rows.first[y], lower = 3 * image.width * rows.second[y]
            let (up, down) = (1 - rows.fraction[y], rows.fraction[y])
            for x in 0..<size.width {
              let left = 3 * columns.first[x], right = 3 * columns.second[x]
              let (before, after) = (1 - columns.fraction[x], columns.fraction[x])
              for channel in 0..<3 {
                func value(_ position: Int) -> Float { values[256 * channel + Int(source[position + channel])] }
                planes[plane * channel + y * width + x] =
                  up * (before * value(upper + left) + after * value(upper + right))
                  + down * (before * value(lower + left) + after * value(lower + right))
              }
            }
          }
        }
      }
    }
  }
}

/// Between which two positions of the source each target position lies, and how far.
private struct BilinearPositions {
  var first: [Int] = []
  var second: [Int] = []
  var fraction: [Float] = []

  init(from source: Int, to target: Int) {
    let scale = Float(source) / Float(target)
    for position in 0..<target {
      let center = max(0, scale * (Float(position) + 0.5) - 0.5)
      let start = min(Int(center), source - 1)
      first.append(start)
      second.append(min(start + 1, source - 1))
      fraction.append(min(max(0, center - Float(start)), 1))
    }
  }
}
