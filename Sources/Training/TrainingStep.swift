import Datasets
import DetectionCore
import Detectors
import NeuralNetwork
import Parallel

/// What one mini-batch came to.
public struct StepReport: Hashable, Sendable, Codable {
  /// From 0.
  public var step: Int
  /// L_cls, normalised, before scaling.
  public var classification: Double
  /// L_reg, normalised.
  public var regression: Double
  /// w.
  public var scale: Double
  /// w·L_cls + L_reg.
  public var loss: Double
  /// Foreground anchors.
  public var foreground: Int
  public var learningRate: Double
  /// L2 norm before clipping.
  public var gradientNorm: Double
  public var images: Int
  public var seconds: Double
  /// Of `seconds`, spent waiting for data.
  public var waitSeconds: Double
}

/// One step of training as data flows: forward, targets, sampler, loss, scaler, backward. The update is the caller's.
public struct TrainingStep {
  public let network: RetinaNet
  public let matcher: Matcher
  public let coder: BoxCoder
  public let regressionLoss: BoxRegressionLoss
  public let regressionWeight: Float

  public init(
    network: RetinaNet, matcher: Matcher, coder: BoxCoder, regressionLoss: BoxRegressionLoss, regressionWeight: Float
  ) {
    self.network = network
    self.matcher = matcher
    self.coder = coder
    self.regressionLoss = regressionLoss
    self.regressionWeight = regressionWeight
  }

  public struct Losses: Hashable, Sendable {
    public var classification: Double
    public var regression: Double
    public var scale: Double
    public var foreground: Int
  }

  /// Computes the losses of a batch and the gradients of all parameters.
  /// - Throws: `StrategyError` where a loss is not finite.
  public func run(_ batch: Batch, step: Int, strategies: inout Strategies) throws -> Losses {
    let program = try network.program(
      images: batch.images.count, height: batch.height, width: batch.width, training: true)
    _ = program.inputValues.update(fromContentsOf: batch.pixels)
    try program.forward()

    let targets = targets(for: batch)
    let anchorCount = targets.first?.labels.count ?? 0
    let labels = targets.flatMap(\.labels)
    let overlaps = targets.flatMap(\.overlaps)
    let boxTargets = targets.flatMap(\.boxTargets)
    let foreground = targets.enumerated().flatMap { image, target in target.foreground.map { $0 + image * anchorCount } }

    let logits = program.values(of: network.logits)
    let logitGradient = program.gradient(of: network.logits)
    let classification = try labels.withUnsafeBufferPointer { labels in
      try overlaps.withUnsafeBufferPointer { overlaps in
        let view = ClassificationBatch(
          logits: logits, labels: labels, overlaps: overlaps,
          imageOffsets: (0...targets.count).map { $0 * anchorCount }, classCount: network.classCount)
        let weighting = try strategies.sampler.weighting(for: view, step: step)
        return try ClassificationLoss.evaluate(view, weighting: weighting, gradient: logitGradient)
      }
    }
    let deltaGradient = program.gradient(of: network.deltas)
    let regressionSum = boxTargets.withUnsafeBufferPointer {
      regressionLoss.evaluate(
        deltas: program.values(of: network.deltas), targets: $0, foreground: foreground, gradient: deltaGradient)
    }
    let regressionScale = Double(regressionWeight) / Double(max(1, foreground.count))
    let regression = regressionSum * regressionScale
    guard regression.isFinite, classification.value.isFinite else {
      throw StrategyError("the losses are \(classification.value) (classification) and \(regression) (regression): training has diverged")
    }
    let w = try strategies.lossScaler.scale(
      classification: Float(classification.value), regression: Float(regression))
    Self.multiply(logitGradient, by: w / Float(classification.normalizer))
    for anchor in foreground { for i in (4 * anchor)..<(4 * anchor + 4) { deltaGradient[i] *= Float(regressionScale) } }
    try program.backward()
    return Losses(
      classification: classification.value, regression: regression, scale: Double(w), foreground: foreground.count)
  }

  private func targets(for batch: Batch) -> [AnchorTargets] {
    let anchors = network.anchorGenerator.anchors(for: network.levels(height: batch.height, width: batch.width))
    var targets = [AnchorTargets?](repeating: nil, count: batch.images.count)
    targets.withUnsafeMutableBufferPointer { targets in
      nonisolated(unsafe) let targets = targets
      Parallel.forChunks(of: batch.images.count) { _, range in
        for i in range {
          let objects = batch.images[i].annotations.filter { !$0.isCrowd && $0.box.width > 0 && $0.box.height > 0 }
          targets[i] = AnchorTargets(
            anchors: anchors, boxes: objects.map(\.box), classIndexes: objects.map(\.classIndex), matcher: matcher,
            coder: coder)
        }
      }
    }
    return targets.compactMap { $0 }
  }

  private static func multiply(_ values: UnsafeMutableBufferPointer<Float>, by factor: Float) {
    guard let base = values.baseAddress else { return }
    nonisolated(unsafe) let start = base
    Parallel.forChunks(of: values.count, minimumChunk: 1 << 14) { _, range in
      for i in range { start[i] *= factor }
    }
  }
}
