import DetectionCore
import HDF5

/// The root's attributes.
extension WeightsMetadata {
  enum Attribute {
    static let formatVersion = "format_version", detector = "detector", configuration = "configuration"
    static let classNames = "class_names", convention = "convention"
    static let anchorCount = "statistics_anchor_count", imageCount = "statistics_image_count"
    static let foregroundCounts = "statistics_foreground_counts"
    static let objectCounts = "statistics_object_counts", imageCounts = "statistics_image_counts"
    static let calibratedThresholds = "calibrated_thresholds"
  }

  func write(to root: HDF5NewGroup) throws {
    try root.setAttribute(Attribute.formatVersion, .integer(formatVersion))
    try root.setAttribute(Attribute.detector, .string(detector))
    try root.setAttribute(Attribute.configuration, .string(configuration))
    try root.setAttribute(Attribute.classNames, .strings(classNames))
    try root.setAttribute(Attribute.convention, .string(convention))
    guard let statistics else { return }
    try root.setAttribute(Attribute.anchorCount, .integer(statistics.anchorCount))
    try root.setAttribute(Attribute.foregroundCounts, .integers(statistics.foregroundCounts))
    try root.setAttribute(Attribute.imageCount, .integer(statistics.imageCount))
    try root.setAttribute(Attribute.objectCounts, .integers(statistics.objectCounts))
    try root.setAttribute(Attribute.imageCounts, .integers(statistics.imageCounts))
    if let thresholds = statistics.calibratedThresholds {
      try root.setAttribute(Attribute.calibratedThresholds, .floats(thresholds.map { Double($0) }))
    }
  }

  init(of root: HDF5Group) throws {
    let version = try root.integer(Attribute.formatVersion)
    guard (1...Self.currentFormatVersion).contains(version) else {
      throw Self.error(
        root, Attribute.formatVersion, expected: "at most \(Self.currentFormatVersion)", found: "\(version)")
    }
    self.init(
      formatVersion: version, detector: try root.string(Attribute.detector),
      configuration: try root.string(Attribute.configuration),
      classNames: try root.strings(Attribute.classNames), convention: try root.string(Attribute.convention))
    guard root.hasAttribute(Attribute.anchorCount) else { return }
    statistics = try Self.statistics(of: root, classCount: classNames.count)
  }

  /// Counts that can be: no negative ones, no more foreground than anchors, one a class.
  private static func statistics(of root: HDF5Group, classCount: Int) throws -> TrainingStatistics {
    let anchors = try root.integer(Attribute.anchorCount)
    let images = try root.integer(Attribute.imageCount)
    let counts = try root.integers(Attribute.foregroundCounts)
    guard anchors >= 0 else {
      throw error(root, Attribute.anchorCount, expected: "a count", found: "\(anchors)")
    }
    guard images >= 0 else {
      throw error(root, Attribute.imageCount, expected: "a count", found: "\(images)")
    }
    guard counts.count == classCount else {
      throw error(
        root, Attribute.foregroundCounts, expected: "\(classCount) counts, one a class", found: "\(counts.count)")
    }
    var left = anchors
    for count in counts {
      guard (0...left).contains(count) else {
        throw error(
          root, Attribute.foregroundCounts, expected: "counts that add up to at most the \(anchors) anchors",
          found: "\(count)")
      }
      left -= count
    }
    return TrainingStatistics(
      anchorCount: anchors, foregroundCounts: counts, imageCount: images,
      objectCounts: try classCounts(of: root, Attribute.objectCounts, classCount: classCount, limit: .max),
      imageCounts: try classCounts(of: root, Attribute.imageCounts, classCount: classCount, limit: images),
      calibratedThresholds: try thresholds(of: root, classCount: classCount))
  }

  /// Files written before these were counted do not have them.
  private static func classCounts(
    of root: HDF5Group, _ attribute: String, classCount: Int, limit: Int
  ) throws -> [Int]? {
    guard root.hasAttribute(attribute) else { return nil }
    let counts = try root.integers(attribute)
    guard counts.count == classCount, counts.allSatisfy((0...limit).contains) else {
      let most = limit == .max ? "" : " of at most \(limit)"
      throw error(root, attribute, expected: "\(classCount) counts\(most), one a class", found: "\(counts.prefix(10))")
    }
    return counts
  }

  private static func thresholds(of root: HDF5Group, classCount: Int) throws -> [Float]? {
    guard root.hasAttribute(Attribute.calibratedThresholds) else { return nil }
    let value = try root.attribute(Attribute.calibratedThresholds)
    guard case .floats(let values, _) = value, values.count == classCount, values.allSatisfy((0...1).contains) else {
      throw error(
        root, Attribute.calibratedThresholds, expected: "\(classCount) probabilities, one a class", found: "\(value)")
    }
    return values.map { Float($0) }
  }

  private static func error(_ root: HDF5Group, _ attribute: String, expected: String, found: String) -> HDF5Error {
    HDF5Error(
      file: root.file.path, object: root.path, attribute: attribute,
      reason: .mismatch(expected: expected, found: found))
  }
}
