import Datasets
import DetectionCore
import Foundation

/// Draws boxes with a plate of class name and score; ground truth as dashed white boxes.
public struct DetectionRenderer: Sendable {
  public let classNames: [String]

  public init(classNames: [String]) { self.classNames = classNames }

  /// - Parameter scale: enlargement of the image, so that labels on small images can be read.
  /// - Throws: `DrawingError` where a side of the enlarged image is beyond 32767 pixels.
  public func draw(_ detections: [Detection], groundTruth: [Annotation] = [], on image: Image, scale: Int = 1) throws -> Image {
    let canvas = try Canvas(image, scale: scale)
    let factor = Double(scale)
    let unit = max(1, Double(min(canvas.width, canvas.height)) / 400)
    for annotation in groundTruth {
      stroke(annotation.box, on: canvas, factor, .white, lineWidth: unit, dashes: [3 * unit, 3 * unit])
    }
    // The surest on top.
    for detection in detections.reversed() {
      let color = Canvas.Color.of(detection.classIndex)
      stroke(detection.box, on: canvas, factor, color, lineWidth: 1.6 * unit)
      let name = classNames.indices.contains(detection.classIndex) ? classNames[detection.classIndex] : "class \(detection.classIndex)"
      let label = "\(name) \(String(format: "%.2f", detection.score))"
      let size = 11 * unit
      let width = canvas.textWidth(label, size: size) + 4 * unit
      let x = min(max(0, Double(detection.box.x1) * factor), max(0, Double(canvas.width) - width))
      let y = max(size + 2 * unit, Double(detection.box.y1) * factor)
      canvas.fillRectangle(x: x, y: y - size - 2 * unit, width: width, height: size + 2 * unit, color: color, opacity: 0.85)
      canvas.drawText(label, x: x + 2 * unit, y: y - 3 * unit, size: size, color: color.isBright ? .black : .white)
    }
    return canvas.image
  }

  private func stroke(
    _ box: Box, on canvas: Canvas, _ factor: Double, _ color: Canvas.Color, lineWidth: Double, dashes: [Double] = []
  ) {
    canvas.strokeRectangle(
      x: Double(box.x1) * factor, y: Double(box.y1) * factor, width: Double(box.width) * factor,
      height: Double(box.height) * factor, color: color, lineWidth: lineWidth, dashes: dashes)
  }
}

/// Several images as one.
public enum Montage {
  /// Row by row on white, every cell as large as the largest image.
  public static func grid(_ images: [Image], columns: Int, spacing: Int = 4) -> Image {
    guard let width = images.map(\.width).max(), let height = images.map(\.height).max() else { return Image(width: 1, height: 1) }
    let columns = max(1, min(columns, images.count))
    let rows = (images.count + columns - 1) / columns
    var result = Image(
      width: columns * (width + spacing) - spacing, height: rows * (height + spacing) - spacing, grey: 255)
    for (i, image) in images.enumerated() {
      let left = i % columns * (width + spacing)
      let top = i / columns * (height + spacing)
      for y in 0..<image.height {
        let target = 3 * ((top + y) * result.width + left)
        let source = 3 * y * image.width
        result.pixels.replaceSubrange(target..<(target + 3 * image.width), with: image.pixels[source..<(source + 3 * image.width)])
      }
    }
    return result
  }
}
