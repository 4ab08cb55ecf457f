import Configuration
import Datasets
import DetectionCore
import Detectors
import NeuralNetwork

/// What a configuration's sections stand for.
extension ExperimentConfiguration {
  public var architecture: RetinaNetArchitecture {
    let backbone = detector.backbone
    let normalization: ResNetArchitecture.Normalization =
      switch backbone.normalization {
      case .frozenBatch: .frozenBatch
      case .batch: .batch
      case .group: .group(backbone.groups)
      }
    return RetinaNetArchitecture(
      backbone: ResNetArchitecture(
        depth: backbone.depth, width: backbone.width, stem: backbone.stem == .small ? .small : .standard,
        normalization: normalization, bottleneckStride: backbone.bottleneckStride == .conv1 ? .conv1 : .conv2,
        convolutionBias: backbone.convolutionBias, epsilon: backbone.epsilon,
        stemPadding: backbone.stemPadding.window, poolPadding: backbone.poolPadding.window,
        projectsFirstShortcut: backbone.firstProjection),
      pyramid: PyramidArchitecture(
        channels: detector.pyramid.channels, minLevel: detector.pyramid.minLevel, maxLevel: detector.pyramid.maxLevel,
        extraLevelSource: detector.pyramid.extraLevels == .c5 ? .c5 : .p5,
        extraPadding: detector.pyramid.extraPadding.window),
      head: HeadArchitecture(
        convolutions: detector.head.convolutions, channels: detector.head.channels,
        normalization: detector.head.normalization == .group ? .group(detector.head.groups) : .none,
        initializer: detector.head.initializer == .he ? .heNormalFanOut : .normal(standardDeviation: 0.01)),
      anchorSizes: detector.anchors.sides, aspectRatios: detector.anchors.aspectRatios,
      anchorPlacement: AnchorPlacement(
        strides: detector.anchors.strides, offset: detector.anchors.offset, roundsCorners: detector.anchors.roundedCorners))
  }

  public var networkPrecision: NeuralNetwork.Precision { precision == .bf16 ? .bf16 : .fp32 }

  public var matcher: Matcher {
    Matcher(
      foregroundThreshold: detector.matcher.foreground, backgroundThreshold: detector.matcher.background,
      allowsLowQualityMatches: detector.matcher.allowLowQuality)
  }

  public var boxCoder: BoxCoder {
    let w = detector.boxWeights
    return BoxCoder(coding: detector.boxCoding, weights: SIMD4(w[0], w[1], w[2], w[3]))
  }

  public var postProcessor: PostProcessor {
    PostProcessor(
      nmsThreshold: detector.postProcess.nms, candidatesPerLevel: detector.postProcess.candidatesPerLevel,
      maximumDetections: detector.postProcess.maximumDetections)
  }

  /// - Parameter training: whether images may be flipped.
  public func inputOptions(training: Bool) -> InputOptions {
    let size: InputSize
    if let shorter = input.shorterSide, let longer = input.longerSide {
      size = .shorterSide(shorter, longerSide: longer)
    } else {
      size = .fixed(width: input.width ?? 128, height: input.height ?? 128)
    }
    return InputOptions(
      size: size, mean: input.mean, standardDeviation: input.standardDeviation, padMultiple: 32,
      interpolation: input.interpolation == .bilinear ? .bilinear : .antialiased,
      roundsSizeDown: input.sizeRounding == .down,
      flipProbability: training ? input.flip : 0)
  }

  /// - Parameter note: called with a line for each thing that is odd about the data, though no error.
  /// - Throws: what the data set throws for files that are missing or wrong.
  public func dataset(_ split: DatasetSplit, note: (String) -> Void = { _ in }) throws -> any DetectionDataset {
    switch data.name {
    case .digitScenes:
      return try DigitScenes(
        split: split, count: split == .train ? data.trainCount : data.validationCount, size: data.size, seed: UInt64(seed))
    case .treeCrowns: return try TreeCrowns.dataset(split: split)
    case .coco:
      let files = split == .train ? (data.trainAnnotations, data.trainImages) : (data.validationAnnotations, data.validationImages)
      guard let annotations = files.0, let images = files.1 else {
        throw ConfigurationError("data: coco needs annotations and images for \(split.rawValue)")
      }
      return try COCODataset(
        annotations: annotations, images: images, allowsOutsideFiles: data.allowOutsideFiles, note: note)
    }
  }
}

/// The strategies that a configuration names, made.
public struct Strategies {
  public var sampler: any Sampler
  public var regressionLoss: any RegressionLoss
  public var lossScaler: any LossScaler
  public let bias: any BiasInitializer
  public let thresholder: any Thresholder

  /// - Throws: `StrategyError` where a name or parameter is unknown to the registry.
  public init(_ configuration: ExperimentConfiguration, registry: StrategyRegistry) throws {
    sampler = try registry.makeSampler(configuration.sampler)
    regressionLoss = try registry.makeRegressionLoss(configuration.loss.regression)
    lossScaler = try registry.makeLossScaler(configuration.lossScaler)
    bias = try registry.makeBiasInitializer(configuration.bias)
    thresholder = try registry.makeThresholder(configuration.thresholder)
  }

  /// What strategies learned so far, for checkpoints.
  var state: [String: [Double]] {
    get {
      var all: [String: [Double]] = [:]
      func add(_ prefix: String, _ strategy: any Strategy) {
        guard let strategy = strategy as? any CheckpointedStrategy else { return }
        for (key, value) in strategy.state { all["\(prefix)/\(key)"] = value }
      }
      add("sampler", sampler)
      add("regressionLoss", regressionLoss)
      add("lossScaler", lossScaler)
      return all
    }
    set {
      func restore<S>(_ prefix: String, _ strategy: inout S) {
        guard var restored = strategy as? any CheckpointedStrategy else { return }
        restored.state = Dictionary(
          uniqueKeysWithValues: newValue.filter { $0.key.hasPrefix("\(prefix)/") }.map {
            (String($0.key.dropFirst(prefix.count + 1)), $0.value)
          })
        if let restored = restored as? S { strategy = restored }
      }
      restore("sampler", &sampler)
      restore("regressionLoss", &regressionLoss)
      restore("lossScaler", &lossScaler)
    }
  }
}

extension DetectorConfiguration.Padding {
  fileprivate var window: WindowPadding { self == .same ? .same : .symmetric }
}

extension DetectorConfiguration.PoolPadding {
  fileprivate var window: WindowPadding {
    switch self {
    case .symmetric: .symmetric
    case .same: .same
    case .none: .none
    }
  }
}
