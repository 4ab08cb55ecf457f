import DetectionCore

/// Every size of the detector.
public struct DetectorConfiguration: Hashable, Sendable {
  public enum Name: String, Hashable, Sendable, CaseIterable { case retinanet }
  public enum Stem: String, Hashable, Sendable, CaseIterable { case standard, small }
  public enum BackboneNormalization: String, Hashable, Sendable, CaseIterable { case frozenBatch, batch, group }
  public enum HeadNormalization: String, Hashable, Sendable, CaseIterable { case none, group }
  public enum HeadInitializer: String, Hashable, Sendable, CaseIterable {
    /// N(0, 0.01²), as RetinaNet starts its 256 channels.
    case normal
    /// He et al. 2015: narrow heads, whose signal the former would all but extinguish.
    case he
  }
  public enum BottleneckStride: String, Hashable, Sendable, CaseIterable { case conv1, conv2 }
  public enum ExtraLevels: String, Hashable, Sendable, CaseIterable { case c5, p5 }
  public enum Padding: String, Hashable, Sendable, CaseIterable {
    /// Half the kernel on either side.
    case symmetric
    /// TensorFlow's: no more than is needed, an odd one last.
    case same
  }
  public enum PoolPadding: String, Hashable, Sendable, CaseIterable {
    case symmetric, same
    /// The window stays inside.
    case none
  }

  public struct Backbone: Hashable, Sendable {
    public var depth = 50
    public var width = 64
    public var stem = Stem.standard
    public var normalization = BackboneNormalization.frozenBatch
    /// Of group normalisation.
    public var groups = 8
    /// Which of a bottleneck's convolutions halves the extents: the first, 1x1, or the second, 3x3.
    public var bottleneckStride = BottleneckStride.conv2
    /// Whether convolutions in front of a normalisation have a bias.
    public var convolutionBias = false
    /// Of batch normalisation.
    public var epsilon: Float = 1e-5
    public var stemPadding = Padding.symmetric
    public var poolPadding = PoolPadding.symmetric
    /// Whether the first block's shortcut has a convolution in shallow networks too.
    public var firstProjection = false
  }
  public struct Pyramid: Hashable, Sendable {
    public var channels = 256
    public var minLevel = 3
    public var maxLevel = 7
    public var extraLevels = ExtraLevels.p5
    /// Of the convolutions that make the extra levels.
    public var extraPadding = Padding.symmetric
  }
  public struct Head: Hashable, Sendable {
    public var convolutions = 4
    public var channels = 256
    public var normalization = HeadNormalization.none
    public var groups = 8
    public var initializer = HeadInitializer.normal
  }
  public struct Anchors: Hashable, Sendable {
    /// Sides in pixels: one base a level, times every scale.
    public var sizes: [Float] = [32, 64, 128, 256, 512]
    public var scales: [Float] = [1, 1.2599211, 1.587401]
    /// Height / width.
    public var aspectRatios: [Float] = [0.5, 1, 2]
    /// Whether sides are cut to whole pixels.
    public var wholeSides = false
    /// Whether corners at location 0 are rounded to whole pixels.
    public var roundedCorners = true
    /// Of the centre from a location's top left pixel, in strides.
    public var offset: Float = 0
    public var strides = AnchorPlacement.Strides.powersOfTwo

    /// A list a level.
    public var sides: [[Float]] {
      sizes.map { size in scales.map { wholeSides ? (size * $0).rounded(.down) : size * $0 } }
    }
  }
  public struct Matching: Hashable, Sendable {
    public var foreground: Float = 0.5
    public var background: Float = 0.4
    public var allowLowQuality = true
  }
  public struct PostProcessing: Hashable, Sendable {
    public var nms: Float = 0.5
    public var candidatesPerLevel = 1000
    public var maximumDetections = 100
    /// Boxes are cut to the image less this many pixels at the right and the bottom.
    public var clipInset: Float = 0
  }

  public var name = Name.retinanet
  public var backbone = Backbone()
  public var pyramid = Pyramid()
  public var head = Head()
  public var anchors = Anchors()
  public var matcher = Matching()
  public var boxCoding = BoxCoder.Coding.center
  public var boxWeights: [Float] = [10, 10, 5, 5]
  public var postProcess = PostProcessing()

  public init() {}

  init(_ reader: inout SectionReader) throws {
    name = try reader.choice("name", name)
    backbone = try reader.section("backbone") { r in
      Backbone(
        depth: try r.int("depth", 50, oneOf: [18, 34, 50, 101, 152]), width: try r.int("width", 64, in: 1...1024),
        stem: try r.choice("stem", .standard), normalization: try r.choice("normalization", .frozenBatch),
        groups: try r.int("groups", 8, in: 1...1024),
        bottleneckStride: try r.choice("bottleneckStride", .conv2),
        convolutionBias: try r.bool("convolutionBias", false), epsilon: try r.float("epsilon", 1e-5, in: 0...1),
        stemPadding: try r.choice("stemPadding", .symmetric), poolPadding: try r.choice("poolPadding", .symmetric),
        firstProjection: try r.bool("firstProjection", false))
    }
    pyramid = try reader.section("pyramid") { r in
      Pyramid(
        channels: try r.int("channels", 256, in: 1...4096), minLevel: try r.int("minLevel", 3, in: 2...5),
        maxLevel: try r.int("maxLevel", 7, in: 5...8), extraLevels: try r.choice("extraLevels", .p5),
        extraPadding: try r.choice("extraPadding", .symmetric))
    }
    head = try reader.section("head") { r in
      Head(
        convolutions: try r.int("convolutions", 4, in: 0...16), channels: try r.int("channels", 256, in: 1...4096),
        normalization: try r.choice("normalization", .none), groups: try r.int("groups", 8, in: 1...1024),
        initializer: try r.choice("initializer", .normal))
    }
    let positive: ClosedRange<Float> = 1e-3...1e5
    anchors = try reader.section("anchors") { r in
      Anchors(
        sizes: try r.floats("sizes", Anchors().sizes, in: positive), scales: try r.floats("scales", Anchors().scales, in: positive),
        aspectRatios: try r.floats("aspectRatios", Anchors().aspectRatios, in: positive),
        wholeSides: try r.bool("wholeSides", false), roundedCorners: try r.bool("roundedCorners", true),
        offset: try r.float("offset", 0, in: -16...16), strides: try r.choice("strides", .powersOfTwo))
    }
    guard anchors.sizes.count == pyramid.maxLevel - pyramid.minLevel + 1 else {
      throw reader.problem("has \(anchors.sizes.count) sizes for the levels \(pyramid.minLevel)...\(pyramid.maxLevel); one each is needed", at: "anchors.sizes")
    }
    guard !anchors.scales.isEmpty, !anchors.aspectRatios.isEmpty else {
      throw reader.problem("must have at least one of scales and of aspectRatios", at: "anchors")
    }
    matcher = try reader.section("matcher") { r in
      Matching(
        foreground: try r.float("foreground", 0.5, in: 0...1), background: try r.float("background", 0.4, in: 0...1),
        allowLowQuality: try r.bool("allowLowQuality", true))
    }
    guard matcher.background <= matcher.foreground else {
      throw reader.problem("is \(matcher.background), must not lie above foreground, \(matcher.foreground)", at: "matcher.background")
    }
    boxCoding = try reader.choice("boxCoding", boxCoding)
    boxWeights = try reader.floats("boxWeights", boxWeights, in: positive, count: 4)
    postProcess = try reader.section("postProcess") { r in
      PostProcessing(
        nms: try r.float("nms", 0.5, in: 0...1), candidatesPerLevel: try r.int("candidatesPerLevel", 1000, in: 1...1_000_000),
        maximumDetections: try r.int("maximumDetections", 100, in: 1...100_000),
        clipInset: try r.float("clipInset", 0, in: 0...16))
    }
  }

  func emit(_ emitter: inout Emitter) {
    emitter.section("detector") { e in
      e.text("name", name.rawValue)
      e.section("backbone") { e in
        e.value("depth", backbone.depth)
        e.value("width", backbone.width)
        e.text("stem", backbone.stem.rawValue)
        e.text("normalization", backbone.normalization.rawValue)
        e.value("groups", backbone.groups)
        e.text("bottleneckStride", backbone.bottleneckStride.rawValue)
        e.value("convolutionBias", backbone.convolutionBias)
        e.value("epsilon", backbone.epsilon)
        e.text("stemPadding", backbone.stemPadding.rawValue)
        e.text("poolPadding", backbone.poolPadding.rawValue)
        e.value("firstProjection", backbone.firstProjection)
      }
      e.section("pyramid") { e in
        e.value("channels", pyramid.channels)
        e.value("minLevel", pyramid.minLevel)
        e.value("maxLevel", pyramid.maxLevel)
        e.text("extraLevels", pyramid.extraLevels.rawValue)
        e.text("extraPadding", pyramid.extraPadding.rawValue)
      }
      e.section("head") { e in
        e.value("convolutions", head.convolutions)
        e.value("channels", head.channels)
        e.text("normalization", head.normalization.rawValue)
        e.value("groups", head.groups)
        e.text("initializer", head.initializer.rawValue)
      }
      e.section("anchors") { e in
        e.list("sizes", anchors.sizes)
        e.list("scales", anchors.scales)
        e.list("aspectRatios", anchors.aspectRatios)
        e.value("wholeSides", anchors.wholeSides)
        e.value("roundedCorners", anchors.roundedCorners)
        e.value("offset", anchors.offset)
        e.text("strides", anchors.strides.rawValue)
      }
      e.section("matcher") { e in
        e.value("foreground", matcher.foreground)
        e.value("background", matcher.background)
        e.value("allowLowQuality", matcher.allowLowQuality)
      }
      e.text("boxCoding", boxCoding.rawValue)
      e.list("boxWeights", boxWeights)
      e.section("postProcess") { e in
        e.value("nms", postProcess.nms)
        e.value("candidatesPerLevel", postProcess.candidatesPerLevel)
        e.value("maximumDetections", postProcess.maximumDetections)
        e.value("clipInset", postProcess.clipInset)
      }
    }
  }
}
