/// The extents of one level of a feature pyramid.
public struct FeatureLevel: Hashable, Sendable {
  public var height: Int
  public var width: Int
  /// Pixels of the image between two locations of a column, and of a row.
  public var verticalStride: Int
  public var horizontalStride: Int

  public init(height: Int, width: Int, verticalStride: Int, horizontalStride: Int) {
    self.height = height
    self.width = width
    self.verticalStride = verticalStride
    self.horizontalStride = horizontalStride
  }

  public init(height: Int, width: Int, stride: Int) {
    self.init(height: height, width: width, verticalStride: stride, horizontalStride: stride)
  }
}

/// Where anchors lie on the image: detectors differ, and weights fit one way only.
public struct AnchorPlacement: Hashable, Sendable {
  /// Pixels between neighbouring locations.
  public enum Strides: String, Hashable, Sendable, CaseIterable {
    /// 2^level.
    case powersOfTwo = "powers-of-two"
    /// The padded image's side divided by the number of locations, rounded down, as in torchvision: less than 2^level
    /// where the number of locations was rounded up.
    case imageOverGrid = "image-over-grid"
  }
  public var strides: Strides
  /// Of a location's anchors' centre from the location's top left pixel, in strides.
  public var offset: Float
  /// Whether corners of the anchors at location 0 are rounded to whole pixels (half to even), as in torchvision.
  public var roundsCorners: Bool

  public init(strides: Strides = .powersOfTwo, offset: Float = 0, roundsCorners: Bool = true) {
    self.strides = strides
    self.offset = offset
    self.roundsCorners = roundsCorners
  }

  /// A level of a padded image of these extents, which has `height` x `width` locations.
  public func level(_ level: Int, height: Int, width: Int, imageHeight: Int, imageWidth: Int) -> FeatureLevel {
    switch strides {
    case .powersOfTwo: FeatureLevel(height: height, width: width, stride: 1 << level)
    case .imageOverGrid:
      FeatureLevel(
        height: height, width: width, verticalStride: imageHeight / height, horizontalStride: imageWidth / width)
    }
  }
}

/// Reference boxes of several sizes and aspect ratios at every location of every level (Ren et al. 2015).
///
/// Order and arithmetic are torchvision's: levels in order, locations row by row, and at each location the aspect ratios
/// outermost and the sizes innermost. An anchor of size s and ratio r has height s·√r and width s/√r.
public struct AnchorGenerator: Hashable, Sendable {
  /// One list of sides a level, in pixels.
  public var sizes: [[Float]]
  /// Height / width.
  public var aspectRatios: [Float]
  public var placement: AnchorPlacement

  public init(sizes: [[Float]], aspectRatios: [Float], placement: AnchorPlacement = AnchorPlacement()) {
    self.sizes = sizes
    self.aspectRatios = aspectRatios
    self.placement = placement
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
        guard placement.roundsCorners else { return Box(x1: -halfWidth, y1: -halfHeight, x2: halfWidth, y2: halfHeight) }
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
        let y = (Float(row) + placement.offset) * Float(level.verticalStride)
        for column in 0..<level.width {
          let x = (Float(column) + placement.offset) * Float(level.horizontalStride)
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
