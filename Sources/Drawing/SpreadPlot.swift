import Datasets
import Foundation

/// Values with their mean and spread, a row each, in panels side by side.
///
/// Told apart by place and shape (ring, dot, bar), not by colour.
public struct SpreadPlot: Sendable {
  public struct Row: Hashable, Sendable {
    public var label: String
    /// Right of the panels; empty for none.
    public var remark: String

    public init(label: String, remark: String = "") {
      self.label = label
      self.remark = remark
    }
  }

  /// A row's values in one panel.
  public struct Values: Hashable, Sendable {
    public var samples: [Double]
    public var mean: Double?
    /// Half the bar's length, in the values' unit.
    public var spread: Double?

    public init(samples: [Double], mean: Double?, spread: Double?) {
      self.samples = samples
      self.mean = mean
      self.spread = spread
    }
  }

  public struct Panel: Hashable, Sendable {
    public var title: String
    /// One a row of the plot.
    public var values: [Values]

    public init(title: String, values: [Values]) {
      self.title = title
      self.values = values
    }
  }

  public var rows: [Row]
  public var panels: [Panel]

  public init(rows: [Row], panels: [Panel]) {
    self.rows = rows
    self.panels = panels
  }

  /// Pixels of the lengths below.
  private static let unit = 2.0
  private static let (rowHeight, panelWidth, gap, margin) = (30 * unit, 230 * unit, 22 * unit, 14 * unit)
  private static let (head, foot, textSize) = (34 * unit, 62 * unit, 12 * unit)
  private static let widestLabel = 420 * unit
  private static let grey = Canvas.Color(red: 0.35, green: 0.35, blue: 0.35)
  private static let (band, line) = (
    Canvas.Color(red: 0.955, green: 0.955, blue: 0.955), Canvas.Color(red: 0.82, green: 0.82, blue: 0.82)
  )
  /// Blue and vermilion of Okabe and Ito.
  private static let (blue, vermilion) = (Canvas.Color.palette[4], Canvas.Color.palette[5])

  /// - Throws: `DrawingError` where there are more rows than a picture can hold.
  public func image() throws -> Image {
    let measure = try Canvas(width: 1, height: 1)
    let labels = rows.map { Self.shortened($0.label, on: measure) }
    let labelWidth = labels.map { measure.textWidth($0, size: Self.textSize) }.max() ?? 0
    let remarkWidth = rows.map { measure.textWidth($0.remark, size: Self.textSize) }.max() ?? 0
    let left = Self.margin + labelWidth + Self.gap
    let right = left + Double(panels.count) * (Self.panelWidth + Self.gap)
    let width = max(right + remarkWidth + Self.margin, left + 320 * Self.unit)
    let bottom = Self.head + Double(rows.count) * Self.rowHeight
    let canvas = try Canvas(width: Int(width.rounded(.up)), height: Int((bottom + Self.foot).rounded(.up)))

    for (index, row) in rows.enumerated() {
      let top = Self.head + Double(index) * Self.rowHeight
      if index.isMultiple(of: 2) {
        canvas.fillRectangle(x: 0, y: top, width: width, height: Self.rowHeight, color: Self.band)
      }
      let baseline = top + Self.rowHeight / 2 + 0.35 * Self.textSize
      canvas.drawText(labels[index], x: Self.margin, y: baseline, size: Self.textSize)
      canvas.drawText(row.remark, x: right, y: baseline, size: Self.textSize, color: Self.vermilion)
    }
    for (index, panel) in panels.enumerated() {
      draw(panel, from: left + Double(index) * (Self.panelWidth + Self.gap), bottom: bottom, on: canvas)
    }
    drawKey(x: left, y: bottom + 46 * Self.unit, on: canvas)
    return canvas.image
  }

  private func draw(_ panel: Panel, from left: Double, bottom: Double, on canvas: Canvas) {
    canvas.drawText(panel.title, x: left, y: Self.head - 12 * Self.unit, size: 1.1 * Self.textSize)
    let axis = Axis(
      panel.values.flatMap { values in
        values.samples + [values.mean.map { $0 - (values.spread ?? 0) }, values.mean.map { $0 + (values.spread ?? 0) }].compactMap { $0 }
      })
    func x(_ value: Double) -> Double { left + Self.panelWidth * min(max(axis.position(of: value), 0), 1) }
    canvas.strokeRectangle(
      x: left, y: Self.head, width: Self.panelWidth, height: bottom - Self.head, color: Self.grey,
      lineWidth: Self.unit / 2)
    for tick in axis.ticks {
      canvas.strokeLine([(x(tick), Self.head), (x(tick), bottom)], color: Self.line, lineWidth: Self.unit / 2)
      let text = axis.text(tick)
      canvas.drawText(
        text, x: x(tick) - canvas.textWidth(text, size: 0.9 * Self.textSize) / 2, y: bottom + 16 * Self.unit,
        size: 0.9 * Self.textSize, color: Self.grey)
    }
    for (index, values) in panel.values.enumerated() {
      let y = Self.head + (Double(index) + 0.5) * Self.rowHeight
      guard let mean = values.mean else { continue }
      if let spread = values.spread { bar(from: x(mean - spread), to: x(mean + spread), y, on: canvas) }
      for sample in values.samples { ring(x(sample), y, on: canvas) }
      dot(x(mean), y, on: canvas)
    }
  }

  private func bar(from start: Double, to end: Double, _ y: Double, on canvas: Canvas) {
    canvas.fillRectangle(
      x: start, y: y - 4.5 * Self.unit, width: end - start, height: 9 * Self.unit, color: Self.blue, opacity: 0.3)
  }

  private func ring(_ x: Double, _ y: Double, on canvas: Canvas) {
    canvas.strokeCircle(x: x, y: y, radius: 3.6 * Self.unit, color: Self.blue, lineWidth: 1.2 * Self.unit)
  }

  private func dot(_ x: Double, _ y: Double, on canvas: Canvas) {
    canvas.fillCircle(x: x, y: y, radius: 2.4 * Self.unit, color: .black)
  }

  private func drawKey(x: Double, y: Double, on canvas: Canvas) {
    var x = x
    func text(_ text: String) {
      canvas.drawText(text, x: x, y: y + 0.35 * Self.textSize, size: 0.9 * Self.textSize, color: Self.grey)
      x += canvas.textWidth(text, size: 0.9 * Self.textSize) + 16 * Self.unit
    }
    dot(x + 4 * Self.unit, y, on: canvas)
    x += 12 * Self.unit
    text("mean")
    bar(from: x, to: x + 22 * Self.unit, y, on: canvas)
    x += 28 * Self.unit
    text("± standard deviation")
    ring(x + 4 * Self.unit, y, on: canvas)
    x += 12 * Self.unit
    text("one seed")
  }

  private static func shortened(_ label: String, on canvas: Canvas) -> String {
    guard canvas.textWidth(label, size: textSize) > widestLabel else { return label }
    var kept = label
    while !kept.isEmpty, canvas.textWidth(kept + "…", size: textSize) > widestLabel { kept.removeLast() }
    return kept + "…"
  }
}
