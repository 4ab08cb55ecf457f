import DetectionCore
import NeuralNetwork

/// Every size of a RetinaNet (Lin et al., "Focal Loss for Dense Object Detection", 2017).
public struct RetinaNetArchitecture: Hashable, Sendable {
  public var backbone: ResNetArchitecture
  public var pyramid: PyramidArchitecture
  public var head: HeadArchitecture
  /// One list of anchor sides a level, in pixels.
  public var anchorSizes: [[Float]]
  /// Height / width.
  public var aspectRatios: [Float]
  public var anchorPlacement: AnchorPlacement

  public init(
    backbone: ResNetArchitecture, pyramid: PyramidArchitecture, head: HeadArchitecture, anchorSizes: [[Float]],
    aspectRatios: [Float], anchorPlacement: AnchorPlacement = AnchorPlacement()
  ) {
    self.backbone = backbone
    self.pyramid = pyramid
    self.head = head
    self.anchorSizes = anchorSizes
    self.aspectRatios = aspectRatios
    self.anchorPlacement = anchorPlacement
  }

  /// Inputs are padded to multiples of this, so that the top-down path's factors of 2 are exact.
  public var inputMultiple: Int { 32 }

  /// Of anything in a detector: beyond it there is no machine, and no product of two such numbers is too large to be one.
  static let largestSize = 1 << 22

  /// - Throws: `DetectorError` where the sizes do not fit together.
  public func validate() throws {
    try backbone.validate()
    guard (2...5).contains(pyramid.minLevel), pyramid.maxLevel >= 5, pyramid.maxLevel <= 8 else {
      throw DetectorError("pyramid levels \(pyramid.minLevel)...\(pyramid.maxLevel): the first must be 2...5, the last 5...8")
    }
    guard pyramid.extraPadding != .none else { throw DetectorError("the pyramid's extra levels need a padding") }
    guard backbone.poolPadding != .none || pyramid.minLevel > 2 else {
      throw DetectorError("pooling without padding makes the backbone's level 2 a row and a column short: begin the pyramid with level 3")
    }
    guard anchorSizes.count == pyramid.levels.count else {
      throw DetectorError("\(anchorSizes.count) lists of anchor sizes for the \(pyramid.levels.count) pyramid levels \(pyramid.minLevel)...\(pyramid.maxLevel)")
    }
    guard let count = anchorSizes.first?.count, count > 0, anchorSizes.allSatisfy({ $0.count == count }) else {
      throw DetectorError("every level needs the same number of anchor sizes, at least one")
    }
    guard !aspectRatios.isEmpty, (aspectRatios + anchorSizes.flatMap { $0 }).allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw DetectorError("anchor sizes and aspect ratios must be positive")
    }
    guard head.channels > 0, pyramid.channels > 0, head.convolutions >= 0 else {
      throw DetectorError("pyramid and head need a positive number of channels")
    }
    for (what, size) in [
      ("backbone's width", backbone.width), ("pyramid's channels", pyramid.channels), ("head's channels", head.channels),
      ("head's convolutions", head.convolutions), ("anchors of a location", MemoryNeed.product([count, aspectRatios.count])),
    ] where size > Self.largestSize {
      throw DetectorError("the \(what): \(size) is more than the \(Self.largestSize) that can be")
    }
    if case .group(let groups) = head.normalization, groups < 1 || head.channels % groups != 0 {
      throw DetectorError("\(groups) groups do not divide the head's \(head.channels) channels")
    }
  }
}

public struct PyramidArchitecture: Hashable, Sendable {
  /// What the levels above the backbone's last stage are computed from.
  public enum ExtraLevelSource: String, Hashable, Sendable, CaseIterable {
    /// The backbone's last stage, as in the paper and keras-retinanet.
    case c5
    /// The pyramid's level 5, as in torchvision.
    case p5
  }
  public var channels: Int
  public var minLevel: Int
  public var maxLevel: Int
  public var extraLevelSource: ExtraLevelSource
  /// How the convolutions of the levels above the backbone's last stage are padded.
  public var extraPadding: WindowPadding

  public init(
    channels: Int = 256, minLevel: Int = 3, maxLevel: Int = 7, extraLevelSource: ExtraLevelSource = .p5,
    extraPadding: WindowPadding = .symmetric
  ) {
    self.channels = channels
    self.minLevel = minLevel
    self.maxLevel = maxLevel
    self.extraLevelSource = extraLevelSource
    self.extraPadding = extraPadding
  }

  public var levels: ClosedRange<Int> { minLevel...max(minLevel, maxLevel) }
}

public struct HeadArchitecture: Hashable, Sendable {
  public enum Normalization: Hashable, Sendable {
    case none
    case group(Int)
  }
  /// Convolutions in front of the last one, in each of the two heads.
  public var convolutions: Int
  public var channels: Int
  public var normalization: Normalization
  /// How the kernels in front of the last one start; the last one always starts from N(0, 0.01²), near 0.
  public var initializer: Initializer

  public init(
    convolutions: Int = 4, channels: Int = 256, normalization: Normalization = .none,
    initializer: Initializer = .normal(standardDeviation: 0.01)
  ) {
    self.convolutions = convolutions
    self.channels = channels
    self.normalization = normalization
    self.initializer = initializer
  }
}

/// A detector that cannot be built, or weights that do not fit it.
public struct DetectorError: Error, CustomStringConvertible, Hashable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
