import Parallel

extension Image {
  /// Bilinear resize that averages over what it leaves out: a triangle filter as wide as a target pixel, so downscaling
  /// does not alias. The same filter as Pillow's `BILINEAR` and torch's `interpolate(antialias=True)`, to within 1 of
  /// 255.
  /// - Precondition: `width` and `height` are positive, and so are the image's.
  public func resized(width: Int, height: Int) -> Image {
    precondition(width > 0 && height > 0 && self.width > 0 && self.height > 0, "an image without pixels has no resize")
    if width == self.width && height == self.height { return self }
    let horizontal = TriangleFilter(from: self.width, to: width)
    let vertical = TriangleFilter(from: self.height, to: height)
    let sourceRow = self.width * 3
    let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { output, count in
      count = width * height * 3
      nonisolated(unsafe) let output = output
      self.pixels.withUnsafeBufferPointer { source in
        Parallel.forChunks(of: height, minimumChunk: max(1, 16384 / width)) { _, rows in
          withUnsafeTemporaryAllocation(of: Float.self, capacity: sourceRow) { row in
            for y in rows {
              vertical.combineRows(of: source, rowLength: sourceRow, target: y, into: row)
              let target = UnsafeMutableBufferPointer(rebasing: output[y * width * 3..<(y + 1) * width * 3])
              horizontal.combinePixels(of: row, into: target)
            }
          }
        }
      }
    }
    return Image(width: width, height: height, pixels: pixels)
  }
}

/// What each target position along one axis takes from the source: `taps` weights from `starts` on.
private struct TriangleFilter {
  let taps: Int
  var starts: [Int]
  var weights: [Float]

  init(from source: Int, to target: Int) {
    let scale = Double(source) / Double(target)
    let support = max(scale, 1)
    taps = min(source, Int((2 * support).rounded(.up)) + 1)
    starts = []
    weights = []
    weights.reserveCapacity(target * taps)
    for position in 0..<target {
      let center = (Double(position) + 0.5) * scale
      let start = min(max(Int((center - support + 0.5).rounded(.down)), 0), source - taps)
      let raw = (start..<start + taps).map { max(0, 1 - abs(Double($0) + 0.5 - center) / support) }
      let sum = raw.reduce(0, +)
      starts.append(start)
      weights += raw.map { Float($0 / sum) }
    }
  }

  /// One target row, in floats, of a stack of byte rows.
  func combineRows(
    of source: UnsafeBufferPointer<UInt8>, rowLength: Int, target: Int, into row: UnsafeMutableBufferPointer<Float>
  ) {
    row.update(repeating: 0)
    for tap in 0..<taps {
      let weight = weights[target * taps + tap]
      if weight == 0 { continue }
      let input = UnsafeBufferPointer(rebasing: source[(starts[target] + tap) * rowLength..<(starts[target] + tap + 1) * rowLength])
      for i in 0..<rowLength { row[i] += weight * Float(input[i]) }
    }
  }

  /// A row of RGB bytes of a row of RGB floats.
  func combinePixels(of row: UnsafeMutableBufferPointer<Float>, into target: UnsafeMutableBufferPointer<UInt8>) {
    weights.withUnsafeBufferPointer { weights in
      for (position, start) in starts.enumerated() {
        var red: Float = 0.5, green: Float = 0.5, blue: Float = 0.5  // truncation then rounds
        for tap in 0..<taps {
          let weight = weights[position * taps + tap]
          let i = (start + tap) * 3
          red += weight * row[i]
          green += weight * row[i + 1]
          blue += weight * row[i + 2]
        }
        target[position * 3] = UInt8(min(max(red, 0), 255))
        target[position * 3 + 1] = UInt8(min(max(green, 0), 255))
        target[position * 3 + 2] = UInt8(min(max(blue, 0), 255))
      }
    }
  }
}
