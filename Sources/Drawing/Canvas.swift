import CImageCodecs
import Datasets
import Foundation

/// A picture drawn on with Cairo.
final class Canvas {
  struct Color: Hashable {
    var red, green, blue: Double
    /// Okabe and Ito's palette, told apart by colour-blind readers too; light grey in place of black.
    static let palette: [Color] = [
      Color(red: 0.90, green: 0.62, blue: 0.00), Color(red: 0.34, green: 0.71, blue: 0.91),
      Color(red: 0.00, green: 0.62, blue: 0.45), Color(red: 0.94, green: 0.89, blue: 0.26),
      Color(red: 0.00, green: 0.45, blue: 0.70), Color(red: 0.84, green: 0.37, blue: 0.00),
      Color(red: 0.80, green: 0.47, blue: 0.65), Color(red: 0.85, green: 0.85, blue: 0.85),
    ]
    static func of(_ index: Int) -> Color { palette[index % palette.count] }
    static let black = Color(red: 0, green: 0, blue: 0)
    static let white = Color(red: 1, green: 1, blue: 1)
    var isBright: Bool { 0.299 * red + 0.587 * green + 0.114 * blue > 0.55 }
  }

  let width: Int
  let height: Int
  private let surface: OpaquePointer?
  private let context: OpaquePointer?
  /// Cairo's.
  private static let largestSide = 32767

  /// - Throws: `DrawingError` where the sides are not 1...32767.
  init(width: Int, height: Int) throws {
    self.width = width
    self.height = height
    let sides = 1...Self.largestSide
    guard sides.contains(width), sides.contains(height) else {
      (surface, context) = (nil, nil)
      throw DrawingError("a picture of \(width) x \(height) pixels: sides must be \(sides)")
    }
    surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(width), Int32(height))
    context = cairo_create(surface)
    guard cairo_status(context) == CAIRO_STATUS_SUCCESS else {
      throw DrawingError("a picture of \(width) x \(height) pixels: \(String(cString: cairo_status_to_string(cairo_status(context))))")
    }
    set(.white)
    cairo_paint(context)
    cairo_select_font_face(context, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL)
  }

  /// An image enlarged by a whole number.
  convenience init(_ image: Image, scale: Int) throws {
    try self.init(width: image.width * scale, height: image.height * scale)
    let enlarged = scale == 1 ? image : image.resized(width: width, height: height)
    withRows { row, y in
      for x in 0..<width {
        let i = 3 * (y * width + x)
        row[x] = UInt32(enlarged.pixels[i]) << 16 | UInt32(enlarged.pixels[i + 1]) << 8 | UInt32(enlarged.pixels[i + 2])
      }
    }
  }

  deinit {
    cairo_destroy(context)
    cairo_surface_destroy(surface)
  }

  private func withRows(_ body: (UnsafeMutablePointer<UInt32>, Int) -> Void) {
    cairo_surface_flush(surface)
    guard let data = cairo_image_surface_get_data(surface) else { return }
    let stride = Int(cairo_image_surface_get_stride(surface))
    for y in 0..<height {
      (data + y * stride).withMemoryRebound(to: UInt32.self, capacity: width) { body($0, y) }
    }
    cairo_surface_mark_dirty(surface)
  }

  var image: Image {
    var pixels = [UInt8](repeating: 0, count: width * height * 3)
    withRows { row, y in
      for x in 0..<width {
        let i = 3 * (y * width + x)
        pixels[i] = UInt8(row[x] >> 16 & 255)
        pixels[i + 1] = UInt8(row[x] >> 8 & 255)
        pixels[i + 2] = UInt8(row[x] & 255)
      }
    }
    return Image(width: width, height: height, pixels: pixels)
  }

  private func set(_ color: Color, opacity: Double = 1) {
    cairo_set_source_rgba(context, color.red, color.green, color.blue, opacity)
  }

  func strokeRectangle(x: Double, y: Double, width: Double, height: Double, color: Color, lineWidth: Double, dashes: [Double] = []) {
    set(color)
    cairo_set_line_width(context, lineWidth)
    cairo_set_dash(context, dashes, Int32(dashes.count), 0)
    cairo_rectangle(context, x, y, width, height)
    cairo_stroke(context)
  }

  func fillRectangle(x: Double, y: Double, width: Double, height: Double, color: Color, opacity: Double = 1) {
    set(color, opacity: opacity)
    cairo_rectangle(context, x, y, width, height)
    cairo_fill(context)
  }

  func strokeLine(_ points: [(x: Double, y: Double)], color: Color, lineWidth: Double, dashes: [Double] = []) {
    guard let first = points.first else { return }
    set(color)
    cairo_set_line_width(context, lineWidth)
    cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
    cairo_set_dash(context, dashes, Int32(dashes.count), 0)
    cairo_move_to(context, first.x, first.y)
    for point in points.dropFirst() { cairo_line_to(context, point.x, point.y) }
    cairo_stroke(context)
  }

  func fillCircle(x: Double, y: Double, radius: Double, color: Color) {
    set(color)
    cairo_new_sub_path(context)
    cairo_arc(context, x, y, radius, 0, 2 * Double.pi)
    cairo_fill(context)
  }

  func strokeCircle(x: Double, y: Double, radius: Double, color: Color, lineWidth: Double) {
    set(color)
    cairo_set_line_width(context, lineWidth)
    cairo_set_dash(context, nil, 0, 0)
    cairo_new_sub_path(context)
    cairo_arc(context, x, y, radius, 0, 2 * Double.pi)
    cairo_stroke(context)
  }

  func textWidth(_ text: String, size: Double) -> Double {
    var extents = cairo_text_extents_t()
    cairo_set_font_size(context, size)
    cairo_text_extents(context, text, &extents)
    return extents.x_advance
  }

  /// - Parameter y: of the base line.
  func drawText(_ text: String, x: Double, y: Double, size: Double, color: Color = .black, turned: Bool = false) {
    set(color)
    cairo_set_font_size(context, size)
    cairo_save(context)
    cairo_move_to(context, x, y)
    if turned { cairo_rotate(context, -Double.pi / 2) }
    cairo_show_text(context, text)
    cairo_restore(context)
  }
}

/// A picture that cannot be made.
public struct DrawingError: Error, CustomStringConvertible, Hashable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
