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

  /// The ResNet-50 that `keras.applications` had before: Keras 1.0 to keras-applications 1.0.8.
  public static let kerasResNet50 = Convention(
    name: "keras-resnet50",
    summary: "BGR less its mean, not scaled; stride in conv1, convolutions with bias, epsilon 1e-3, pooling without padding",
    source: "keras.applications.resnet50 of Keras 1.0 to 2.2.4", input: caffeInput,
    detector: .with {
      $0.backbone.bottleneckStride = .conv1
      $0.backbone.convolutionBias = true
      $0.backbone.epsilon = 1e-3
      $0.backbone.poolPadding = .none
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

  public static let all = [native, torchvision, kerasApplications, kerasResNet50, kerasRetinaNet, kerasRetinaNetZeroPadded]

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
  func configuration(of plan: DetectorPlan) -> ExperimentConfiguration {
    var configuration = ExperimentConfiguration()
    configuration.input = input
    configuration.detector = detector
    configuration.thresholder = thresholder
    configuration.detector.backbone.depth = plan.depth
    configuration.detector.backbone.width = plan.width
    configuration.detector.backbone.stem = plan.stemKernel == 3 ? .small : .standard
    configuration.detector.backbone.convolutionBias = plan.convolutionBias
    configuration.detector.backbone.firstProjection = plan.projectsFirstShortcut && !plan.usesBottlenecks
    guard let found = plan.detector else { return configuration }
    configuration.detector.pyramid.channels = found.channels
    configuration.detector.pyramid.minLevel = found.levels.lowerBound
    configuration.detector.pyramid.maxLevel = found.levels.upperBound
    if let source = found.extraLevels { configuration.detector.pyramid.extraLevels = source }
    configuration.detector.head.convolutions = found.headConvolutions
    configuration.detector.head.channels = found.headChannels
    if found.hasHeadNormalization {
      configuration.detector.head.normalization = .group
      configuration.detector.head.groups = 32
    }
    configuration.detector.anchors.sizes = found.levels.map { Float(4 << $0) }
    return configuration
  }
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
