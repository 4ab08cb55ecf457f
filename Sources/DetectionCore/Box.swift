/// An axis-aligned rectangle in pixels: corners (x1, y1) inclusive-exclusive (x2, y2), origin at the image's top left.
public struct Box: Hashable, Sendable, Codable {
  public var x1: Float
  public var y1: Float
  public var x2: Float
  public var y2: Float

  @inlinable
  public init(x1: Float, y1: Float, x2: Float, y2: Float) {
    self.x1 = x1
    self.y1 = y1
    self.x2 = x2
    self.y2 = y2
  }

  /// From COCO's `[x, y, width, height]`.
  @inlinable
  public init(x: Float, y: Float, width: Float, height: Float) {
    self.init(x1: x, y1: y, x2: x + width, y2: y + height)
  }

  @inlinable public var width: Float { x2 - x1 }
  @inlinable public var height: Float { y2 - y1 }

  /// Square pixels; 0 where a corner order is reversed.
  @inlinable public var area: Float { max(0, width) * max(0, height) }

  @inlinable
  public func intersectionArea(with other: Box) -> Float {
    max(0, min(x2, other.x2) - max(x1, other.x1)) * max(0, min(y2, other.y2) - max(y1, other.y1))
  }

  /// Intersection over union, 0...1; 0 where both are empty.
  @inlinable
  public func iou(with other: Box) -> Float {
    let intersection = intersectionArea(with: other)
    return intersection > 0 ? intersection / (area + other.area - intersection) : 0
  }

  /// Cut to an image of `width` x `height` pixels.
  @inlinable
  public func clipped(width: Float, height: Float) -> Box {
    Box(
      x1: min(max(x1, 0), width), y1: min(max(y1, 0), height),
      x2: min(max(x2, 0), width), y2: min(max(y2, 0), height))
  }
}
