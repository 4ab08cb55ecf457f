import Foundation

/// Boxes relative to anchors.
public struct BoxCoder: Hashable, Sendable {
  public enum Coding: String, Hashable, Sendable, CaseIterable {
    /// Offset of the centre in anchor sizes, logarithm of the size ratio (Girshick et al. 2014).
    case center
    /// Offsets of the two corners in anchor sizes, as in keras-retinanet.
    case corners
  }
  public var coding: Coding
  /// Factors of (x, y, width, height), or of (x1, y1, x2, y2).
  public var weights: SIMD4<Float>
  /// Largest decoded logarithm of a size ratio, so that no box explodes: log(1000/16) in Detectron and torchvision.
  public var maximumLogScale: Float

  public init(
    coding: Coding = .center, weights: SIMD4<Float> = SIMD4(1, 1, 1, 1), maximumLogScale: Float = 4.135_166_6
  ) {
    self.coding = coding
    self.weights = weights
    self.maximumLogScale = maximumLogScale
  }

  /// Four numbers that `decode` turns back into the box.
  /// - Precondition: the anchor's and the box's sides are positive.
  public func encode(_ box: Box, anchor: Box) -> SIMD4<Float> {
    if coding == .corners {
      let (width, height) = (anchor.width, anchor.height)
      return weights
        * SIMD4(
          (box.x1 - anchor.x1) / width, (box.y1 - anchor.y1) / height, (box.x2 - anchor.x2) / width,
          (box.y2 - anchor.y2) / height)
    }
    let dx = (box.x1 + 0.5 * box.width - anchor.x1 - 0.5 * anchor.width) / anchor.width
    let dy = (box.y1 + 0.5 * box.height - anchor.y1 - 0.5 * anchor.height) / anchor.height
    return weights * SIMD4(dx, dy, log(box.width / anchor.width), log(box.height / anchor.height))
  }

  public func decode(_ delta: SIMD4<Float>, anchor: Box) -> Box {
    let d = delta / weights
    if coding == .corners {
      let (width, height) = (anchor.width, anchor.height)
      return Box(
        x1: anchor.x1 + d[0] * width, y1: anchor.y1 + d[1] * height, x2: anchor.x2 + d[2] * width,
        y2: anchor.y2 + d[3] * height)
    }
    let x = d[0] * anchor.width + anchor.x1 + 0.5 * anchor.width
    let y = d[1] * anchor.height + anchor.y1 + 0.5 * anchor.height
    let width = exp(min(d[2], maximumLogScale)) * anchor.width
    let height = exp(min(d[3], maximumLogScale)) * anchor.height
    return Box(x1: x - 0.5 * width, y1: y - 0.5 * height, x2: x + 0.5 * width, y2: y + 0.5 * height)
  }
}
