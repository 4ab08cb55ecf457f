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
  /// The regression loss' factor: 1 unless the loss scaler scales both.
  public var regressionScale: Double
  /// w·L_cls + L_reg, each with its factor.
  public var loss: Double
  /// Foreground anchors. Like the losses and `images`, of all processes.
  public var foreground: Int
  public var learningRate: Double
  /// L2 norm before clipping.
  public var gradientNorm: Double
  public var images: Int
  public var seconds: Double
  /// Of `seconds`, spent waiting for data.
  public var waitSeconds: Double
  /// Of `seconds`, spent waiting for gradients of other processes when the backward pass was over.
  public var exchangeSeconds: Double
}

/// One step of training as data flows: forward, targets, sampler, losses, scaler, backward, sum of gradients over processes.
/// The update is the caller's.
public struct TrainingStep {
  public let network: RetinaNet
  public let matcher: Matcher
  public let coder: BoxCoder
  public let regressionWeight: Float
  public let statistics: TrainingStatistics
  public let processes: any ProcessGroup
  /// Whether gradients travel while the backward pass still runs. Off, to see what that is worth.
  package var overlapsExchange = true
  private let buckets: GradientBuckets

  /// - Parameter processes: who else trains on the rest of each mini-batch, on shares of the same size.
  public init(
    network: RetinaNet, matcher: Matcher, coder: BoxCoder, regressionWeight: Float, statistics: TrainingStatistics,
    processes: any ProcessGroup = SingleProcess()
  ) {
    self.network = network
    self.matcher = matcher
    self.coder = coder
    self.regressionWeight = regressionWeight
    self.statistics = statistics
    self.processes = processes
    buckets = GradientBuckets(network.parameters)
  }

  public struct Losses: Hashable, Sendable {
    public var classification: Double
    public var regression: Double
    public var scales: LossScales
    public var foreground: Int
    /// Waited for other processes' gradients after the backward pass.
    public var exchangeSeconds = 0.0

    public var total: Double {
      Double(scales.classification) * classification + Double(scales.regression) * regression + Double(scales.penalty)
    }
  }

  /// What is known of a part after its forward pass.
  private struct Part {
    let batch: Batch
    let targets: BatchTargets
    let weighting: Weighting
    let classification: ClassificationLossValue
    let regression: RegressionLossValue
    /// Anchors whose boxes are trained, and d sum / d delta of each.
    let regressed: [Int]
    let deltaSlopes: [SIMD4<Float>]
  }

  /// Computes the losses of a mini-batch, which may come in parts, and the gradients of all parameters, both over all
  /// processes.
  ///
  /// The loss scaler sees the losses of all parts before any gradient is made, so that n parts give what one mini-batch
  /// of all their images would give (but for batch normalisation, whose statistics are each part's own). All parts but
  /// the last therefore go forward twice.
  /// - Throws: `TrainingDiverged` where the network's results or a loss are not finite; what a strategy throws.
  public func run(_ batches: [Batch], step: Int, strategies: inout Strategies) throws -> Losses {
    let parts = try batches.enumerated().map { index, batch in
      try evaluate(
        batch, firstImage: (index * processes.count + processes.rank) * batch.images.count, step: step, strategies: &strategies)
    }
    var sums = [0.0, 0, 0, 0, 0]
    for part in parts {
      sums[0] += part.classification.sum
      sums[1] += part.classification.normalizer
      sums[2] += part.regression.sum
      sums[3] += part.regression.normalizer
      sums[4] += Double(part.targets.foreground.count)
    }
    try processes.sum(&sums)
    let classification = ClassificationLossValue(sum: sums[0], normalizer: sums[1])
    let regression = RegressionLossValue(sum: sums[2] * Double(regressionWeight), normalizer: sums[3])
    guard regression.value.isFinite, classification.value.isFinite else {
      throw TrainingDiverged(
        step: step, reason: "the losses are \(classification.value) (classification) and \(regression.value) (regression)")
    }
    let scales = try strategies.lossScaler.scales(
      classification: Float(classification.value), regression: Float(regression.value))
    var losses = Losses(
      classification: classification.value, regression: regression.value, scales: scales,
      foreground: Int(sums[4]))
    let factors = (
      classification: Float(Double(scales.classification) / max(1, classification.normalizer)),
      regression: Float(Double(scales.regression) * Double(regressionWeight) / max(1, regression.normalizer))
    )
    // What only the forward pass moves (batch normalisation's statistics) has moved once already.
    let moving = network.parameters.entries.filter { !$0.declaration.isTrainable }.map(\.range)
    let moved = moving.map { Array(network.parameters.values[$0]) }
    let gradients = network.parameters.gradients
    var sum: [Float] = []
    for (index, part) in parts.enumerated().dropFirst().reversed() {
      let isLast = index == parts.count - 1
      try backward(part, again: !isLast, factors)
      if isLast { sum = Array(gradients) } else { for i in sum.indices { sum[i] += gradients[i] } }
    }
    if let part = parts.first {
      losses.exchangeSeconds = try exchangingGradients { exchange in
        try backward(part, again: parts.count > 1, factors) { finished in
          if parts.count > 1 { for i in finished.joined() { gradients[i] += sum[i] } }
          try exchange(finished)
        }
      }
    }
    if parts.count > 1 {
      for (range, values) in zip(moving, moved) { for (i, value) in zip(range, values) { network.parameters.values[i] = value } }
    }
    return losses
  }

  /// Sums gradients over all processes as the backward pass finishes them.
  /// - Returns: seconds waited after that pass.
  private func exchangingGradients(_ backward: (_ didStep: ([Range<Int>]) throws -> Void) throws -> Void) throws -> Double {
    guard processes.count > 1 else {
      try backward { _ in }
      return 0
    }
    var exchange = GradientExchange(buckets, parameters: network.parameters, processes: processes)
    try backward { if overlapsExchange { try exchange.didStep($0) } }
    let start = ContinuousClock.now
    try exchange.finish()
    return start.duration(to: .now).seconds
  }

  /// Forward pass and losses. Leaves d sum / d output in the program.
  private func evaluate(
    _ batch: Batch, firstImage: Int, step: Int, strategies: inout Strategies
  ) throws -> Part {
    let program = try forward(batch)
    let deltas = program.values(of: network.deltas)
    // Strategies need not expect results that are no numbers.
    for (name, values) in [("logit", program.values(of: network.logits)), ("box delta", deltas)] where !Self.areFinite(values) {
      throw TrainingDiverged(step: step, reason: "a \(name) is not finite")
    }
    let targets = BatchTargets(batch, network: network, matcher: matcher, coder: coder)
    let (weighting, classification) = try withView(of: targets, program, firstImage: firstImage) { view in
      let weighting = try strategies.sampler.weighting(for: view, step: step)
      let gradient = program.gradient(of: network.logits)
      return (weighting, try ClassificationLoss.evaluate(view, weighting: weighting, gradient: gradient))
    }
    let regressed = weighting.anchorWeights.map { weights in targets.foreground.filter { weights[$0] != 0 } } ?? targets.foreground
    let deltaGradient = program.gradient(of: network.deltas)
    let regression = try targets.boxTargets.withUnsafeBufferPointer { boxTargets in
      try strategies.regressionLoss.evaluate(
        RegressionBatch(deltas: deltas, targets: boxTargets, foreground: regressed, processes: processes),
        gradient: deltaGradient)
    }
    return Part(
      batch: batch, targets: targets, weighting: weighting, classification: classification, regression: regression,
      regressed: regressed,
      deltaSlopes: regressed.map {
        SIMD4(deltaGradient[4 * $0], deltaGradient[4 * $0 + 1], deltaGradient[4 * $0 + 2], deltaGradient[4 * $0 + 3])
      })
  }

  /// - Parameters:
  ///   - again: whether the program has seen another part since.
  ///   - didStep: see `Program.backward`.
  private func backward(
    _ part: Part, again: Bool, _ factors: (classification: Float, regression: Float),
    didStep: ([Range<Int>]) throws -> Void = { _ in }
  ) throws {
    let program = try again ? forward(part.batch) : program(part.batch)
    let logitGradient = program.gradient(of: network.logits)
    let deltaGradient = program.gradient(of: network.deltas)
    if again {
      _ = try withView(of: part.targets, program) {
        try ClassificationLoss.evaluate($0, weighting: part.weighting, gradient: logitGradient)
      }
      deltaGradient.update(repeating: 0)
    }
    Self.multiply(logitGradient, by: factors.classification)
    for (anchor, slope) in zip(part.regressed, part.deltaSlopes) {
      for i in 0..<4 { deltaGradient[4 * anchor + i] = slope[i] * factors.regression }
    }
    try program.backward(didStep: didStep)
  }

  private func program(_ batch: Batch) throws -> Program {
    try network.program(images: batch.images.count, height: batch.height, width: batch.width, training: true)
  }

  private func forward(_ batch: Batch) throws -> Program {
    let program = try program(batch)
    _ = program.inputValues.update(fromContentsOf: batch.pixels)
    try program.forward()
    return program
  }

  private func withView<T>(
    of targets: BatchTargets, _ program: Program, firstImage: Int = 0, _ body: (ClassificationBatch) throws -> T
  ) throws -> T {
    let deltas = program.values(of: network.deltas)
    return try targets.labels.withUnsafeBufferPointer { labels in
      try targets.overlaps.withUnsafeBufferPointer { overlaps in
        try targets.objects.withUnsafeBufferPointer { objects in
          try body(
            ClassificationBatch(
              logits: program.values(of: network.logits), labels: labels, overlaps: overlaps, objects: objects,
              imageOffsets: targets.imageOffsets, classCount: network.classCount, statistics: statistics,
              processes: processes, firstImage: firstImage, qualities: { try targets.qualities(deltas: deltas, coder: coder) }))
        }
      }
    }
  }

  private static func areFinite(_ values: UnsafeBufferPointer<Float>) -> Bool {
    guard let base = values.baseAddress else { return true }
    nonisolated(unsafe) let start = UnsafeRawPointer(base)
    let chunks = Parallel.chunkCount(of: values.count, minimumChunk: 1 << 16)
    return withUnsafeTemporaryAllocation(of: Bool.self, capacity: chunks) { results in
      nonisolated(unsafe) let results = results
      Parallel.forChunks(of: values.count, minimumChunk: 1 << 16) { chunk, range in
        // 0 · x is 0 for finite x only.
        var zeros = SIMD16<Float>.zero
        var i = range.lowerBound
        while i + 16 <= range.upperBound {
          zeros += start.loadUnaligned(fromByteOffset: 4 * i, as: SIMD16<Float>.self) * 0
          i += 16
        }
        let rest = (i..<range.upperBound).allSatisfy { start.load(fromByteOffset: 4 * $0, as: Float.self).isFinite }
        results[chunk] = rest && zeros == .zero
      }
      return results.allSatisfy { $0 }
    }
  }

  private static func multiply(_ values: UnsafeMutableBufferPointer<Float>, by factor: Float) {
    guard let base = values.baseAddress else { return }
    nonisolated(unsafe) let start = base
    Parallel.forChunks(of: values.count, minimumChunk: 1 << 14) { _, range in
      for i in range { start[i] *= factor }
    }
  }
}
