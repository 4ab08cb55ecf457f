import DetectionCore
import Foundation

/// Scanned handwritten digits pasted on cluttered backgrounds: ten classes with a long-tailed frequency.
///
/// A scene is drawn when it is asked for and follows from seed, split and index alone. Training and validation scenes
/// never share a scan.
public struct DigitScenes: DetectionDataset {
  public let classNames = (0..<10).map(String.init)
  public let count: Int
  /// Width and height in pixels.
  public let size: Int
  private let seed: UInt64
  private let split: DatasetSplit
  private let scans: OptDigits
  private let indices: [[Int]]

  /// Digit j appears proportionally to this to the power of j.
  public static let frequencyRatio = 0.75
  /// Cells with at least this ink, of 16, belong to a digit's box.
  static let boxInk: UInt8 = 4
  /// Boxes overlap by at most this IoU, so that no digit is hidden.
  static let largestOverlap: Float = 0.2

  /// - Throws: `OptDigitsError` where the scans cannot be read.
  public init(split: DatasetSplit, count: Int, size: Int = 128, seed: UInt64 = 0) throws {
    precondition(count >= 0 && size >= 32, "\(count) scenes of \(size) pixels")
    self.count = count
    self.size = size
    self.seed = seed
    self.split = split
    scans = try OptDigits.load()
    indices = scans.indices(for: split)
  }

  public func header(at index: Int) throws -> SampleHeader {
    SampleHeader(id: index, width: size, height: size, annotations: layout(of: index).map(\.annotation))
  }

  public func sample(at index: Int) throws -> Sample {
    let digits = layout(of: index)
    var generator = generator(index, stream: 1)
    var canvas = SceneCanvas(size: size)
    canvas.drawBackground(&generator)
    for _ in 0..<(2 + generator.index(below: 5)) { drawFragment(on: &canvas, &generator) }
    for digit in digits {
      let color = canvas.contrastingColor(around: digit.annotation.box, &generator)
      canvas.drawInk(x: digit.x, y: digit.y, width: digit.width, height: digit.height, color: color, opacity: 1) { row, column in
        scans.cell(digit.scan, row, column)
      }
    }
    canvas.addNoise(&generator)
    return Sample(id: index, image: canvas.image, annotations: digits.map(\.annotation))
  }

  // MARK: Layout

  private struct Digit {
    var scan: Int
    /// Where the whole scan of 8x8 cells lies, in pixels.
    var x, y, width, height: Float
    var annotation: Annotation
  }

  private func generator(_ index: Int, stream: UInt64) -> SeededGenerator {
    SeededGenerator(seed: seed, split == .train ? 11 : 12, UInt64(index), stream)
  }

  /// Which digits a scene has and where: 3 % have none, the others one to eight.
  private func layout(of index: Int) -> [Digit] {
    var generator = generator(index, stream: 0)
    guard generator.uniform() >= 0.03 else { return [] }
    let wanted = 1 + generator.index(below: 8)
    var digits: [Digit] = []
    for _ in 0..<wanted {
      let label = drawClass(&generator)
      let scan = indices[label][generator.index(below: indices[label].count)]
      // Scan sides of 18 to 56 pixels at size 128, small ones as frequent as large ones by octave.
      let side = 18 * Float(pow(56.0 / 18.0, Double(generator.uniform()))) * Float(size) / 128
      let stretch = Float(pow(1.2, Double(2 * generator.uniform() - 1)))
      let (width, height) = (side / stretch, side * stretch)
      let ink = scans.inkExtent(scan, threshold: Self.boxInk)
      let inner = Box(
        x1: Float(ink.columns.lowerBound) * width / 8, y1: Float(ink.rows.lowerBound) * height / 8,
        x2: Float(ink.columns.upperBound) * width / 8, y2: Float(ink.rows.upperBound) * height / 8)
      for _ in 0..<20 {
        let left = generator.uniform() * (Float(size) - inner.width)
        let top = generator.uniform() * (Float(size) - inner.height)
        let box = Box(x: left, y: top, width: inner.width, height: inner.height)
        guard digits.allSatisfy({ $0.annotation.box.iou(with: box) <= Self.largestOverlap && !Self.hides(box, $0.annotation.box) }) else { continue }
        digits.append(
          Digit(
            scan: scan, x: left - inner.x1, y: top - inner.y1, width: width, height: height,
            annotation: Annotation(box: box, classIndex: label)))
        break
      }
    }
    return digits
  }

  /// Whether half of either box lies under the other.
  private static func hides(_ a: Box, _ b: Box) -> Bool { a.intersectionArea(with: b) > 0.5 * min(a.area, b.area) }

  private func drawClass(_ generator: inout SeededGenerator) -> Int {
    let total = (0..<10).reduce(0) { $0 + pow(Self.frequencyRatio, Double($1)) }
    var remaining = Double(generator.uniform()) * total
    for label in 0..<9 {
      remaining -= pow(Self.frequencyRatio, Double(label))
      if remaining < 0 { return label }
    }
    return 9
  }

  /// A torn piece of a scan of this split: strokes that are no digit.
  private func drawFragment(on canvas: inout SceneCanvas, _ generator: inout SeededGenerator) {
    let label = generator.index(below: 10)
    let scan = indices[label][generator.index(below: indices[label].count)]
    let (row, column) = (generator.index(below: 6), generator.index(below: 6))
    let side = (5 + 9 * generator.uniform()) * Float(size) / 128
    let (x, y) = (generator.uniform() * (Float(size) - side), generator.uniform() * (Float(size) - side))
    let color = canvas.contrastingColor(around: Box(x: x, y: y, width: side, height: side), &generator)
    canvas.drawInk(x: x, y: y, width: side, height: side, color: color, opacity: 0.6, cells: 3) { r, c in
      scans.cell(scan, row + r, column + c)
    }
  }
}

extension OptDigits {
  /// Ink of one cell, 0...1; nothing outside the scan.
  func cell(_ scan: Int, _ row: Int, _ column: Int) -> Float {
    guard (0..<Self.side).contains(row), (0..<Self.side).contains(column) else { return 0 }
    return Float(ink[(scan * Self.side + row) * Self.side + column]) / Float(Self.maximumInk)
  }

  /// Rows and columns that hold ink of at least `threshold`.
  func inkExtent(_ scan: Int, threshold: UInt8) -> (rows: Range<Int>, columns: Range<Int>) {
    var (top, bottom, left, right) = (Self.side, 0, Self.side, 0)
    for row in 0..<Self.side {
      for column in 0..<Self.side where ink[(scan * Self.side + row) * Self.side + column] >= threshold {
        (top, bottom) = (min(top, row), max(bottom, row + 1))
        (left, right) = (min(left, column), max(right, column + 1))
      }
    }
    return top < bottom ? (top..<bottom, left..<right) : (0..<Self.side, 0..<Self.side)
  }
}
