import DetectionCore
import Foundation

/// A square picture being drawn, in floats.
struct SceneCanvas {
  typealias Color = SIMD4<Float>  // red, green, blue, unused; 0...255
  let size: Int
  private var pixels: [Color]

  init(size: Int) {
    self.size = size
    pixels = Array(repeating: Color(repeating: 128), count: size * size)
  }

  var image: Image {
    var bytes = [UInt8](repeating: 0, count: size * size * 3)
    for (i, pixel) in pixels.enumerated() {
      for c in 0..<3 { bytes[3 * i + c] = UInt8(min(max(pixel[c], 0), 255)) }
    }
    return Image(width: size, height: size, pixels: bytes)
  }

  private static func randomColor(_ generator: inout SeededGenerator) -> Color {
    Color(255 * generator.uniform(), 255 * generator.uniform(), 255 * generator.uniform(), 0)
  }

  /// A gradient between two colours, clouds, and some bars and discs.
  mutating func drawBackground(_ generator: inout SeededGenerator) {
    let (from, to) = (Self.randomColor(&generator), Self.randomColor(&generator))
    let angle = 2 * Float.pi * generator.uniform()
    let (dx, dy) = (cos(angle), sin(angle))
    let cells = 5
    let clouds = (0..<(cells * cells)).map { _ in 60 * (generator.uniform() - 0.5) }
    for y in 0..<size {
      for x in 0..<size {
        let (u, v) = (Float(x) / Float(size) - 0.5, Float(y) / Float(size) - 0.5)
        let t = min(max(0.5 + 0.7 * (u * dx + v * dy), 0), 1)
        let (gx, gy) = ((u + 0.5) * Float(cells - 1), (v + 0.5) * Float(cells - 1))
        let (column, row) = (Int(gx), Int(gy))
        let (fx, fy) = (gx - Float(column), gy - Float(row))
        let i = row * cells + column
        let cloud =
          (1 - fy) * ((1 - fx) * clouds[i] + fx * clouds[i + 1])
          + fy * ((1 - fx) * clouds[i + cells] + fx * clouds[i + cells + 1])
        let mixed: Color = from * (1 - t) + to * t
        pixels[y * size + x] = mixed + Color(repeating: cloud)
      }
    }
    for _ in 0..<(2 + generator.index(below: 5)) { drawShape(&generator) }
  }

  /// A translucent disc or bar.
  private mutating func drawShape(_ generator: inout SeededGenerator) {
    let color = Self.randomColor(&generator)
    let opacity = 0.3 + 0.5 * generator.uniform()
    let scale = Float(size)
    let center = SIMD2(generator.uniform() * scale, generator.uniform() * scale)
    let isDisc = generator.uniform() < 0.4
    let angle = 2 * Float.pi * generator.uniform()
    let axis = SIMD2(cos(angle), sin(angle))
    let length = (0.05 + 0.3 * generator.uniform()) * scale
    let thickness = isDisc ? length * 0.4 : (0.008 + 0.03 * generator.uniform()) * scale
    for y in 0..<size {
      for x in 0..<size {
        let offset = SIMD2(Float(x), Float(y)) - center
        let along = (offset * axis).sum() / length
        let across = (offset * SIMD2(-axis.y, axis.x)).sum() / thickness
        let inside = isDisc ? along * along + across * across < 1 : abs(along) < 1 && abs(across) < 1
        if inside { blend(y * size + x, color, opacity) }
      }
    }
  }

  /// A colour whose brightness differs from the surroundings' by at least 80 of 255.
  func contrastingColor(around box: Box, _ generator: inout SeededGenerator) -> Color {
    let columns = max(0, Int(box.x1))..<min(size, max(Int(box.x2), Int(box.x1) + 1))
    let rows = max(0, Int(box.y1))..<min(size, max(Int(box.y2), Int(box.y1) + 1))
    var sum: Float = 0
    for y in rows { for x in columns { sum += Self.brightness(pixels[y * size + x]) } }
    let mean = sum / Float(max(1, rows.count * columns.count))
    var color = Self.randomColor(&generator)
    for _ in 0..<16 where abs(Self.brightness(color) - mean) < 80 { color = Self.randomColor(&generator) }
    if abs(Self.brightness(color) - mean) < 80 { color = Color(repeating: mean < 128 ? 240 : 15) }
    return color
  }

  private static func brightness(_ color: Color) -> Float { 0.299 * color.x + 0.587 * color.y + 0.114 * color.z }

  /// Ink of a square of cells, bilinear between the cells' centres.
  mutating func drawInk(
    x left: Float, y top: Float, width: Float, height: Float, color: Color, opacity: Float, cells: Int = OptDigits.side,
    cell: (_ row: Int, _ column: Int) -> Float
  ) {
    for y in max(0, Int(top))..<max(0, min(size, Int(top + height) + 1)) {
      let v = (Float(y) + 0.5 - top) / height * Float(cells) - 0.5
      for x in max(0, Int(left))..<max(0, min(size, Int(left + width) + 1)) {
        let u = (Float(x) + 0.5 - left) / width * Float(cells) - 0.5
        guard u > -1, v > -1, u < Float(cells), v < Float(cells) else { continue }
        let (row, column) = (Int(v.rounded(.down)), Int(u.rounded(.down)))
        let (fy, fx) = (v - Float(row), u - Float(column))
        let ink =
          (1 - fy) * ((1 - fx) * inside(row, column, cells, cell) + fx * inside(row, column + 1, cells, cell))
          + fy * ((1 - fx) * inside(row + 1, column, cells, cell) + fx * inside(row + 1, column + 1, cells, cell))
        // Steeper than the ink itself: an up-sampled stroke has an edge again.
        let alpha = min(max((ink - 0.2) * 2.5, 0), 1) * opacity
        if alpha > 0 { blend(y * size + x, color, alpha) }
      }
    }
  }

  private func inside(_ row: Int, _ column: Int, _ cells: Int, _ cell: (Int, Int) -> Float) -> Float {
    (0..<cells).contains(row) && (0..<cells).contains(column) ? cell(row, column) : 0
  }

  private mutating func blend(_ index: Int, _ color: Color, _ alpha: Float) {
    pixels[index] += (color - pixels[index]) * alpha
  }

  mutating func addNoise(_ generator: inout SeededGenerator) {
    for i in pixels.indices {
      let bits = generator.next()
      let noise = Color(Float(bits & 31), Float((bits >> 5) & 31), Float((bits >> 10) & 31), 0) - 15.5
      pixels[i] += noise * 0.6
    }
  }
}
