import DetectionCore

/// What a file's boxes have in common if they are not what COCO means by `bbox`.
struct COCOBoxes {
  private var count = 0
  /// Within the image's first pixel, as are all coordinates divided by the image's sides.
  private var inFirstPixel = 0
  /// Right or bottom edge beyond the image's by more than a hundredth of it.
  private var beyond = 0
  /// Width above x and height above y, as with all corners.
  private var couldBeCorners = 0
  /// The area given is the one between corners, and not width times height.
  private var areaOfCorners = 0
  private var images: Set<Int> = []

  /// - Parameter size: of the image.
  mutating func add(_ bbox: [Double], area: Double?, image: Int, size: (width: Int, height: Int)) {
    guard bbox.count == 4, bbox[2] > 0, bbox[3] > 0, bbox.allSatisfy({ abs($0) < 1e7 }) else { return }
    let (x, y, width, height) = (bbox[0], bbox[1], bbox[2], bbox[3])
    count += 1
    images.insert(image)
    let rounding = 1.001
    if x >= -0.001, y >= -0.001, x + width <= rounding, y + height <= rounding { inFirstPixel += 1 }
    if x + width > 1.01 * Double(size.width) + 1 || y + height > 1.01 * Double(size.height) + 1 { beyond += 1 }
    guard width > x, height > y, x >= 0, y >= 0 else { return }
    couldBeCorners += 1
    if let area {
      func isArea(_ other: Double) -> Bool { abs(area - other) <= 0.01 * other }
      if isArea((width - x) * (height - y)), !isArea(width * height) { areaOfCorners += 1 }
    }
  }

  enum Finding: Hashable {
    case error(String)
    case note(String)
  }

  /// nil where nothing speaks against pixels of `[x, y, width, height]`.
  var finding: Finding? {
    if count == 0 { return nil }
    if 2 * inFirstPixel > count {
      return .error(
        "\(inFirstPixel) of \(count) boxes lie within 0...1: their coordinates are normalised (divided by the image's sides), where pixels are expected")
    }
    let wanted = "where x, y, width and height are expected"
    if couldBeCorners == count, 2 * areaOfCorners > count {
      return .error("bbox seems to hold corners (x1, y1, x2, y2) \(wanted): the areas of \(areaOfCorners) of \(count) boxes are those between corners")
    }
    guard 2 * beyond > count else {
      // Objects in every part of many pictures do not all begin nearer to the corner than they are large.
      guard couldBeCorners == count, count >= 10, 2 * count >= 3 * images.count else { return nil }
      return .note("every width is above its x and every height above its y: does bbox hold corners (x1, y1, x2, y2) \(wanted)?")
    }
    let reach = "\(beyond) of \(count) boxes reach beyond the right or bottom edge of their image"
    return couldBeCorners == count
      ? .error("\(reach): bbox seems to hold corners (x1, y1, x2, y2) \(wanted)")
      : .note("\(reach): does bbox hold corners or centres \(wanted), or pixels of a larger image?")
  }
}
