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

  /// Computes the losses of a mini-batch, which may come in parts, and the gradients of all parameters, both over all
  /// processes.
  ///
  /// All parts go forward before any loss is made: sampler, losses and loss scaler see the mini-batch whole and once, so
  /// that n parts give what one mini-batch of all their images would give (but for batch normalisation, whose statistics
  /// are each part's own). All parts but the last therefore go forward twice, and several parts' results are copied
  /// together: [anchors of all parts x classes], twice for a moment.
  /// - Throws: `TrainingDiverged` where the network's results or a loss are not finite; what a strategy throws;
  ///   `StrategyError` where a strategy returns what cannot be.
  public func run(_ batches: [Batch], step: Int, strategies: inout Strategies) throws -> Losses {
    let outputs = try StepOutputs(batches, network) { try forward($0, step: step) }
    let targets = BatchTargets(batches, network: network, matcher: matcher, coder: coder)
    let numbers = batches.indices.flatMap { part in
      let count = batches[part].images.count
      return (0..<count).map { (part * processes.count + processes.rank) * count + $0 }
    }
    let (classification, regression) = try evaluate(outputs, targets, imageNumbers: numbers, step: step, strategies: &strategies)
    var sums = [
      classification.sum, classification.normalizer, regression.sum, regression.normalizer, Double(targets.foreground.count),
    ]
    try processes.sum(&sums)
    let totals = (
      classification: ClassificationLossValue(sum: sums[0], normalizer: sums[1]),
      regression: RegressionLossValue(sum: sums[2] * Double(regressionWeight), normalizer: sums[3])
    )
    guard totals.regression.value.isFinite, totals.classification.value.isFinite else {
      throw TrainingDiverged(
        step: step,
        reason: "the losses are \(totals.classification.value) (classification) and \(totals.regression.value) (regression)")
    }
    let scales = try strategies.lossScaler.checkedScales(
      classification: Float(totals.classification.value), regression: Float(totals.regression.value))
    var losses = Losses(
      classification: totals.classification.value, regression: totals.regression.value, scales: scales,
      foreground: Int(sums[4]))
    Self.multiply(outputs.logitGradient, by: Float(Double(scales.classification) / max(1, totals.classification.normalizer)))
    let factor = Float(Double(scales.regression) * Double(regressionWeight) / max(1, totals.regression.normalizer))
    // 0 off the foreground.
    for i in targets.foreground.lazy.flatMap({ 4 * $0..<4 * $0 + 4 }) { outputs.deltaGradient[i] *= factor }
    losses.exchangeSeconds = try backward(batches, outputs, targets.partRanges)
    return losses
  }

  /// Losses of the whole mini-batch. Leaves d sum / d output in the outputs' gradients.
  private func evaluate(
    _ outputs: StepOutputs, _ targets: BatchTargets, imageNumbers: [Int], step: Int, strategies: inout Strategies
  ) throws -> (ClassificationLossValue, RegressionLossValue) {
    let (weighting, classification) = try targets.labels.withUnsafeBufferPointer { labels in
      try targets.overlaps.withUnsafeBufferPointer { overlaps in
        try targets.objects.withUnsafeBufferPointer { objects in
          let view = ClassificationBatch(
            logits: outputs.logits, labels: labels, overlaps: overlaps, objects: objects, imageOffsets: targets.imageOffsets,
            classCount: network.classCount, statistics: statistics, processes: processes, imageNumbers: imageNumbers,
            qualities: { try targets.qualities(deltas: outputs.deltas, coder: coder) })
          let weighting = try strategies.sampler.checkedWeighting(for: view, step: step)
          return (weighting, try ClassificationLoss.evaluate(view, weighting: weighting, gradient: outputs.logitGradient))
        }
      }
    }
    let regressed = weighting.anchorWeights.map { weights in targets.foreground.filter { weights[$0] != 0 } } ?? targets.foreground
    let regression = try targets.boxTargets.withUnsafeBufferPointer { boxTargets in
      try strategies.regressionLoss.checkedEvaluate(
        RegressionBatch(deltas: outputs.deltas, targets: boxTargets, foreground: regressed, processes: processes),
        gradient: outputs.deltaGradient)
    }
    return (classification, regression)
  }

  /// From the outputs' gradients to the sum of the parameters' over parts and processes.
  /// - Returns: seconds waited for other processes.
  private func backward(_ batches: [Batch], _ outputs: StepOutputs, _ ranges: [Range<Int>]) throws -> Double {
    let parts = Array(zip(batches, ranges))
    // What only the forward pass moves (batch normalisation's statistics) has moved once already.
    let moving = network.parameters.entries.filter { !$0.declaration.isTrainable }.map(\.range)
    let moved = parts.count > 1 ? moving.map { Array(network.parameters.values[$0]) } : []
    let gradients = network.parameters.gradients
    var sum: [Float] = []
    for (index, part) in parts.enumerated().dropFirst().reversed() {
      let isLast = index == parts.count - 1
      // The last part's forward pass is the latest that its program saw.
      let program = try isLast ? program(part.0) : forward(part.0)
      outputs.copyGradients(part.1, to: program, of: network)
      try program.backward()
      if isLast { sum = Array(gradients) } else { for i in sum.indices { sum[i] += gradients[i] } }
    }
    var seconds = 0.0
    if let part = parts.first {
      let program = try parts.count > 1 ? forward(part.0) : program(part.0)
      outputs.copyGradients(part.1, to: program, of: network)
      seconds = try exchangingGradients { exchange in
        try program.backward { finished in
          if parts.count > 1 { for i in finished.joined() { gradients[i] += sum[i] } }
          try exchange(finished)
        }
      }
    }
    for (range, values) in zip(moving, moved) { for (i, value) in zip(range, values) { network.parameters.values[i] = value } }
    return seconds
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

  private func program(_ batch: Batch) throws -> Program {
    try network.program(images: batch.images.count, height: batch.height, width: batch.width, training: true)
  }

  private func forward(_ batch: Batch) throws -> Program {
    let program = try program(batch)
    _ = program.inputValues.update(fromContentsOf: batch.pixels)
    try program.forward()
    return program
  }

  private func forward(_ batch: Batch, step: Int) throws -> Program {
    let program = try forward(batch)
    // Strategies need not expect results that are no numbers.
    for (name, output) in [("logit", network.logits), ("box delta", network.deltas)]
    where !Self.areFinite(program.values(of: output)) {
      throw TrainingDiverged(step: step, reason: "a \(name) is not finite")
    }
    return program
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
