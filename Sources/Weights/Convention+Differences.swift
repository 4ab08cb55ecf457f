import Configuration

extension Convention {
  /// What a configuration does in another way, of what weights depend on: none where weights of this convention compute
  /// what they were trained for.
  /// - Parameter wholeDetector: whether anchors and boxes count too.
  public func differences(from configuration: ExperimentConfiguration, wholeDetector: Bool) -> [Difference] {
    var own = ExperimentConfiguration()
    (own.input, own.detector) = (input, detector)
    // Anchors grow with the levels, however many there are.
    let pyramid = configuration.detector.pyramid
    own.detector.anchors.sizes = (pyramid.minLevel...max(pyramid.minLevel, pyramid.maxLevel)).map { Float(4 << $0) }
    return Self.differences(from: configuration, to: own, wholeDetector: wholeDetector)
  }

  /// - Parameter expected: the configuration that weights go with.
  public static func differences(
    from configuration: ExperimentConfiguration, to expected: ExperimentConfiguration, wholeDetector: Bool
  ) -> [Difference] {
    var differences: [Difference] = []
    func compare<Value: Equatable>(_ key: String, _ expected: Value, _ found: Value) {
      if expected != found { differences.append(Difference(key: key, expected: "\(expected)", found: "\(found)")) }
    }
    let (mine, other) = (expected.detector, configuration.detector)
    compare("input.mean", expected.input.mean, configuration.input.mean)
    compare("input.standardDeviation", expected.input.standardDeviation, configuration.input.standardDeviation)
    if other.backbone.depth >= 50 {
      compare("detector.backbone.bottleneckStride", mine.backbone.bottleneckStride, other.backbone.bottleneckStride)
    } else {
      compare("detector.backbone.firstProjection", mine.backbone.firstProjection, other.backbone.firstProjection)
    }
    if other.backbone.normalization != .group {
      compare("detector.backbone.epsilon", mine.backbone.epsilon, other.backbone.epsilon)
    }
    compare("detector.backbone.stemPadding", mine.backbone.stemPadding, other.backbone.stemPadding)
    compare("detector.backbone.poolPadding", mine.backbone.poolPadding, other.backbone.poolPadding)
    guard wholeDetector else { return differences }
    compare("detector.pyramid.extraPadding", mine.pyramid.extraPadding, other.pyramid.extraPadding)
    compare("detector.pyramid.extraLevels", mine.pyramid.extraLevels, other.pyramid.extraLevels)
    compare("detector.anchors.sizes", mine.anchors.sizes, other.anchors.sizes)
    compare("detector.anchors.scales", mine.anchors.scales, other.anchors.scales)
    compare("detector.anchors.aspectRatios", mine.anchors.aspectRatios, other.anchors.aspectRatios)
    compare("detector.anchors.wholeSides", mine.anchors.wholeSides, other.anchors.wholeSides)
    compare("detector.anchors.roundedCorners", mine.anchors.roundedCorners, other.anchors.roundedCorners)
    compare("detector.anchors.offset", mine.anchors.offset, other.anchors.offset)
    compare("detector.anchors.strides", mine.anchors.strides, other.anchors.strides)
    compare("detector.boxCoding", mine.boxCoding, other.boxCoding)
    compare("detector.boxWeights", mine.boxWeights, other.boxWeights)
    return differences
  }

  /// A setting on which weights depend and that is another.
  public struct Difference: Hashable, Sendable, CustomStringConvertible {
    public var key: String
    public var expected: String
    public var found: String
    public var description: String { "\(key) is \(found), the weights go with \(expected)" }
  }
}

/// Weights that do not fit a convention.
public struct ConventionError: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}
