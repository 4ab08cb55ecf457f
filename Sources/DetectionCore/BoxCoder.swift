import Foundation

/// Boxes relative to anchors: offset of the centre in anchor sizes, logarithm of the size ratio (Girshick et al. 2014).
public struct BoxCoder: Hashable, Sendable {
  /// Factors of (x, y, width, height).
  public var weights: SIMD4<Float>
  /// Largest decoded logarithm of a size ratio, so that no box explodes: log(1000/16) in Detectron and torchvision.
  public var maximumLogScale: Float

  public init(weights: SIMD4<Float> = SIMD4(1, 1, 1, 1), maximumLogScale: Float = 4.135_166_6) {
    self.weights = weights
    self.maximumLogScale = maximumLogScale
  }

  /// (tx, ty, tw, th) that `decode` turns back into the box.
  /// - Precondition: the anchor's and the box's sides are positive.
  public func encode(_ box: Box, anchor: Box) -> SIMD4<Float> {
    let dx = (box.x1 + 0.5 * box.width - anchor.x1 - 0.5 * anchor.width) / anchor.width
    let dy = (box.y1 + 0.5 * box.height - anchor.y1 - 0.5 * anchor.height) / anchor.height
    return weights * SIMD4(dx, dy, log(box.width / anchor.width), log(box.height / anchor.height))
  }

  public func decode(_ delta: SIMD4<Float>, anchor: Box) -> Box {
    let d = delta / weights
    let x = d[0] * anchor.width + anchor.x1 + 0.5 * anchor.width
    let y = d[1] * anchor.height + anchor.y1 + 0.5 * anchor.height
    let width = exp(min(d[2], maximumLogScale)) * anchor.width
    let height = exp(min(d[3], maximumLogScale)) * anchor.height
    return Box(x1: x - 0.5 * width, y1: y - 0.5 * height, x2: x + 0.5 * width, y2: y + 0.5 * height)
  }
}
