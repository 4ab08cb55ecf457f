import Configuration
import DetectionCore

/// What weights of one origin take for granted, under a name: preprocessing, padding, epsilon, anchors, the coding of
/// boxes, scores. Weights compute what they were trained for with these settings only.
public struct Convention: Hashable, Sendable {
  /// As weights files and reports call it.
  public var name: String
  public var summary: String
  /// Where the numbers are defined.
  public var source: String
  public var input: InputConfiguration
  public var detector: DetectorConfiguration
  /// From which score on a detection counts.
  public var thresholder: StrategyReference

  /// This package's own: what a configuration leaves open.
  public static let native = Convention(
    name: "native", summary: "trained with this package; the configuration lies with the weights",
    source: "Sources/Configuration", input: InputConfiguration(), detector: DetectorConfiguration(),
    thresholder: StrategyReference("class-adaptive"))

  /// torchvision's ResNets and RetinaNet, versions 1 and 2.
  public static let torchvision = Convention(
    name: "torchvision",
    summary: "RGB, ImageNet's mean and deviation, sides 800...1333; stride in conv2, epsilon 1e-5",
    source: "torchvision.models.detection.retinanet, anchor_utils, transform",
    input: .with {
      ($0.width, $0.height, $0.shorterSide, $0.longerSide) = (nil, nil, 800, 1333)
      $0.interpolation = .bilinear
      $0.sizeRounding = .down
    },
    detector: .with {
      $0.anchors.wholeSides = true
      $0.anchors.strides = .imageOverGrid
      $0.boxWeights = [1, 1, 1, 1]
      $0.postProcess.maximumDetections = 300
    },
    thresholder: fixedThreshold)

  /// `keras.applications`' ResNets.
  public static let kerasApplications = Convention(
    name: "keras-applications",
    summary: "BGR less its mean, not scaled; stride in conv1, convolutions with bias, epsilon 1.001e-5",
    source: "keras.applications.resnet", input: caffeInput,
    detector: .with {
      $0.backbone.bottleneckStride = .conv1
      $0.backbone.convolutionBias = true
      $0.backbone.epsilon = 1.001e-5
    },
    thresholder: fixedThreshold)

  /// keras-retinanet on keras-resnet.
  public static let kerasRetinaNet = Convention(
    name: "keras-retinanet",
    summary: "BGR less its mean, not scaled, sides 800...1333; stride in conv1, TensorFlow's \"same\" padding; boxes by their corners",
    source: "github.com/fizyr/keras-retinanet, keras-resnet 0.2.0", input: caffeInput,
    detector: .with {
      $0.backbone.bottleneckStride = .conv1
      $0.backbone.stemPadding = .same
      $0.backbone.poolPadding = .same
      $0.backbone.firstProjection = true
      $0.pyramid.extraLevels = .c5
      $0.pyramid.extraPadding = .same
      $0.anchors.roundedCorners = false
      $0.anchors.offset = 0.5
      $0.boxCoding = .corners
      $0.boxWeights = [5, 5, 5, 5]
      $0.postProcess.candidatesPerLevel = 1_000_000
      $0.postProcess.maximumDetections = 300
      $0.postProcess.clipInset = 1
    },
    thresholder: fixedThreshold)

  /// The same on keras-resnet before 0.2, which puts three rows and columns of zeros around the image.
  public static let kerasRetinaNetZeroPadded: Convention = {
    var convention = kerasRetinaNet
    convention.name = "keras-retinanet-zero-padded"
    convention.summary += "; zeros around the image"
    convention.source = "github.com/fizyr/keras-retinanet, keras-resnet 0.1.0"
    convention.detector.backbone.stemPadding = .symmetric
    return convention
  }()

  public static let all = [native, torchvision, kerasApplications, kerasRetinaNet, kerasRetinaNetZeroPadded]

  private static let fixedThreshold = StrategyReference("fixed", parameters: ["score": .double(0.05)])

  /// Caffe's: 0...255 less a mean. The order of colours is the first kernel's, which is turned round when it is read.
  private static let caffeInput = InputConfiguration.with {
    ($0.width, $0.height, $0.shorterSide, $0.longerSide) = (nil, nil, 800, 1333)
    $0.interpolation = .bilinear
    $0.mean = [123.68 / 255, 116.779 / 255, 103.939 / 255]
    $0.standardDeviation = [1 / 255, 1 / 255, 1 / 255]
  }
}

// MARK: Configurations

extension Convention {
  /// The configuration of a detector that weights hold.
  /// - Throws: `ConventionError` where the number of anchors is not the convention's.
  func configuration(of plan: DetectorPlan, epsilon: Float?) throws -> ExperimentConfiguration {
    var configuration = ExperimentConfiguration()
    configuration.input = input
    configuration.detector = detector
    configuration.thresholder = thresholder
    configuration.detector.backbone.depth = plan.depth
    configuration.detector.backbone.width = plan.width
    configuration.detector.backbone.stem = plan.stemKernel == 3 ? .small : .standard
    configuration.detector.backbone.convolutionBias = plan.convolutionBias
    configuration.detector.backbone.firstProjection = plan.projectsFirstShortcut && !plan.usesBottlenecks
    if let epsilon { configuration.detector.backbone.epsilon = epsilon }
    guard let found = plan.detector else { return configuration }
    configuration.detector.pyramid.channels = found.channels
    configuration.detector.pyramid.minLevel = found.levels.lowerBound
    configuration.detector.pyramid.maxLevel = found.levels.upperBound
    configuration.detector.pyramid.extraLevels = found.extraLevels
    configuration.detector.head.convolutions = found.headConvolutions
    configuration.detector.head.channels = found.headChannels
    if found.hasHeadNormalization {
      configuration.detector.head.normalization = .group
      configuration.detector.head.groups = 32
    }
    configuration.detector.anchors.sizes = found.levels.map { Float(4 << $0) }
    let anchors = configuration.detector.anchors.scales.count * configuration.detector.anchors.aspectRatios.count
    guard anchors == found.anchorsPerLocation else {
      throw ConventionError(
        "\(found.anchorsPerLocation) anchors a location, where \(name) has \(anchors): their sizes are not in the file")
    }
    return configuration
  }

  /// What a configuration does in another way, of what weights depend on: none where weights of this convention compute
  /// what they were trained for.
  /// - Parameter wholeDetector: whether anchors and boxes count too.
  public func differences(
    from configuration: ExperimentConfiguration, wholeDetector: Bool, epsilon: Float? = nil
  ) -> [Difference] {
    var differences: [Difference] = []
    func compare<Value: Equatable>(_ key: String, _ expected: Value, _ found: Value) {
      if expected != found { differences.append(Difference(key: key, expected: "\(expected)", found: "\(found)")) }
    }
    let (mine, other) = (detector, configuration.detector)
    compare("input.mean", input.mean, configuration.input.mean)
    compare("input.standardDeviation", input.standardDeviation, configuration.input.standardDeviation)
    if other.backbone.depth >= 50 {
      compare("detector.backbone.bottleneckStride", mine.backbone.bottleneckStride, other.backbone.bottleneckStride)
    } else {
      compare("detector.backbone.firstProjection", mine.backbone.firstProjection, other.backbone.firstProjection)
    }
    if other.backbone.normalization != .group {
      compare("detector.backbone.epsilon", epsilon ?? mine.backbone.epsilon, other.backbone.epsilon)
    }
    compare("detector.backbone.stemPadding", mine.backbone.stemPadding, other.backbone.stemPadding)
    compare("detector.backbone.poolPadding", mine.backbone.poolPadding, other.backbone.poolPadding)
    guard wholeDetector else { return differences }
    compare("detector.pyramid.extraPadding", mine.pyramid.extraPadding, other.pyramid.extraPadding)
    compare("detector.pyramid.extraLevels", mine.pyramid.extraLevels, other.pyramid.extraLevels)
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

private protocol Changeable { init() }
extension Changeable {
  static func with(_ change: (inout Self) -> Void) -> Self {
    var value = Self()
    change(&value)
    return value
  }
}
extension InputConfiguration: Changeable {}
extension DetectorConfiguration: Changeable {}
