/// The extents of one level of a feature pyramid.
public struct FeatureLevel: Hashable, Sendable {
  public var height: Int
  public var width: Int
  /// Pixels of the image between two neighbouring locations.
  public var stride: Int

  public init(height: Int, width: Int, stride: Int) {
    self.height = height
    self.width = width
    self.stride = stride
  }
}

/// Reference boxes of several sizes and aspect ratios at every location of every level (Ren et al. 2015).
///
/// Order and arithmetic are torchvision's: levels in order, locations row by row, and at each location the aspect ratios
/// outermost and the sizes innermost. An anchor of size s and ratio r has height s·√r and width s/√r and is centred on
/// the location's top left pixel, `stride` pixels from the next one.
public struct AnchorGenerator: Hashable, Sendable {
  /// One list of sides a level, in pixels.
  public var sizes: [[Float]]
  /// Height / width.
  public var aspectRatios: [Float]
  /// Whether corners of the anchors at location 0 are rounded to whole pixels (half to even), as in torchvision.
  public var roundsBase: Bool

  public init(sizes: [[Float]], aspectRatios: [Float], roundsBase: Bool = true) {
    self.sizes = sizes
    self.aspectRatios = aspectRatios
    self.roundsBase = roundsBase
  }

  /// A: the anchors of one location.
  public var anchorsPerLocation: Int { (sizes.first?.count ?? 0) * aspectRatios.count }

  /// Anchors of a level's location 0, centred on the origin.
  public func baseAnchors(level: Int) -> [Box] {
    aspectRatios.flatMap { ratio in
      sizes[level].map { size in
        let heightRatio = ratio.squareRoot()
        let halfHeight = size * heightRatio / 2
        let halfWidth = size * (1 / heightRatio) / 2
        guard roundsBase else { return Box(x1: -halfWidth, y1: -halfHeight, x2: halfWidth, y2: halfHeight) }
        return Box(
          x1: (-halfWidth).rounded(.toNearestOrEven), y1: (-halfHeight).rounded(.toNearestOrEven),
          x2: halfWidth.rounded(.toNearestOrEven), y2: halfHeight.rounded(.toNearestOrEven))
      }
    }
  }

  /// All anchors of an image.
  /// - Precondition: as many levels as lists of sizes.
  public func anchors(for levels: [FeatureLevel]) -> [Box] {
    precondition(levels.count == sizes.count, "\(levels.count) levels for \(sizes.count) lists of anchor sizes")
    var anchors: [Box] = []
    anchors.reserveCapacity(levelOffsets(for: levels).last ?? 0)
    for (index, level) in levels.enumerated() {
      let base = baseAnchors(level: index)
      for row in 0..<level.height {
        let y = Float(row * level.stride)
        for column in 0..<level.width {
          let x = Float(column * level.stride)
          for box in base {
            anchors.append(Box(x1: x + box.x1, y1: y + box.y1, x2: x + box.x2, y2: y + box.y2))
          }
        }
      }
    }
    return anchors
  }

  /// Where each level's anchors begin, and at the end their total.
  public func levelOffsets(for levels: [FeatureLevel]) -> [Int] {
    levels.reduce(into: [0]) { offsets, level in
      offsets.append(offsets[offsets.count - 1] + level.height * level.width * anchorsPerLocation)
    }
  }
}
