/// What a strategy returned, checked before it is used: the one place for each kind where numbers from outside come in.
/// Whoever runs a detector calls these in place of the protocols' own functions.

extension Strategy {
  func mistake(_ kind: StrategyKind, _ what: String) -> StrategyError {
    StrategyError("\(kind.rawValue) \"\(Self.name)\": \(what)")
  }
}

extension Sampler {
  /// - Throws: `StrategyError` where there are not as many weights as anchors or classes, or one cannot be; what the sampler
  ///   throws.
  public mutating func checkedWeighting(for batch: ClassificationBatch, step: Int) throws -> Weighting {
    var weighting = try weighting(for: batch, step: step)
    weighting.owner = "\(StrategyKind.sampler.rawValue) \"\(Self.name)\""
    try weighting.validate(for: batch)
    return weighting
  }
}

extension RegressionLoss {
  /// - Throws: `StrategyError` where the sum or the normaliser cannot be, or a gradient is not finite or lies off the
  ///   foreground; what the loss throws. An infinite sum passes: differences that large are the training's.
  public mutating func checkedEvaluate(
    _ batch: RegressionBatch, gradient: UnsafeMutableBufferPointer<Float>
  ) throws -> RegressionLossValue {
    let value = try evaluate(batch, gradient: gradient)
    guard value.sum >= 0 else { throw mistake(.regressionLoss, "\(value.sum) as sum of losses") }
    guard value.normalizer >= 0, value.normalizer.isFinite else {
      throw mistake(.regressionLoss, "\(value.normalizer) as normaliser")
    }
    guard value.sum.isFinite else { return value }
    var written = 0
    for i in batch.foreground.lazy.flatMap({ 4 * $0..<4 * $0 + 4 }) {
      guard gradient[i].isFinite else {
        throw mistake(.regressionLoss, "the gradient of delta \(i % 4) of anchor \(i / 4) is \(gradient[i])")
      }
      if gradient[i] != 0 { written += 1 }
    }
    if gradient.nonZeroCount != written {
      let foreground = Set(batch.foreground)
      let stray = gradient.indices.first { gradient[$0] != 0 && !foreground.contains($0 / 4) } ?? 0
      throw mistake(
        .regressionLoss, "the gradient of anchor \(stray / 4), which is no foreground, is \(gradient[stray]), must be set to 0")
    }
    return value
  }
}

extension LossScaler {
  /// - Throws: `StrategyError` where a scale is negative or a number is not finite; what the scaler throws.
  public mutating func checkedScales(classification: Float, regression: Float) throws -> LossScales {
    let scales = try scales(classification: classification, regression: regression)
    for (scale, loss) in [(scales.classification, "classification"), (scales.regression, "regression")]
    where !(scale >= 0 && scale.isFinite) {
      throw mistake(
        .lossScaler, "\(scale) as factor of the \(loss) loss (losses \(classification) and \(regression)); must be finite, 0 or more")
    }
    guard scales.penalty.isFinite else { throw mistake(.lossScaler, "\(scales.penalty) as penalty") }
    return scales
  }
}

extension Thresholder {
  /// - Throws: `StrategyError` where there are not as many thresholds as classes, or one is no probability; what the
  ///   thresholder throws.
  public func checkedThresholds(for statistics: TrainingStatistics) throws -> [Float] {
    if let limit = candidatesPerLevel, limit < 1 { throw mistake(.thresholder, "\(limit) candidates a level; must be 1 or more") }
    return try checked(thresholds(for: statistics), classCount: statistics.classCount)
  }

  fileprivate func checked(_ thresholds: [Float], classCount: Int) throws -> [Float] {
    guard thresholds.count == classCount else {
      throw mistake(.thresholder, "\(thresholds.count) thresholds for \(classCount) classes")
    }
    if let i = thresholds.firstIndex(where: { !(0...1).contains($0) }) {
      throw mistake(.thresholder, "\(thresholds[i]) as threshold of class \(i); must be a probability, 0...1")
    }
    return thresholds
  }
}

extension CalibratingThresholder {
  /// - Throws: as `checkedThresholds`.
  public func checkedCalibration(_ matches: DetectionMatches, statistics: TrainingStatistics) throws -> [Float] {
    try checked(calibrate(matches, statistics: statistics), classCount: statistics.classCount)
  }
}

extension BiasInitializer {
  /// - Throws: `StrategyError` where there are not as many biases as outputs, or one is not finite; what the initialiser
  ///   throws.
  public func checkedBias(for statistics: TrainingStatistics, activation: Activation) throws -> [Float] {
    let bias = try bias(for: statistics, activation: activation)
    let count = statistics.classCount + (activation == .softmaxWithBackground ? 1 : 0)
    guard bias.count == count else {
      throw mistake(.bias, "\(bias.count) biases for \(count) \(activation == .sigmoid ? "classes" : "classes and background")")
    }
    if let i = bias.firstIndex(where: { !$0.isFinite }) { throw mistake(.bias, "\(bias[i]) as bias \(i)") }
    return bias
  }
}

extension CheckpointedStrategy where Self: Strategy {
  /// What a checkpoint keeps.
  /// - Throws: `StrategyError` where a name cannot be one in a file, or a number is not finite.
  public func checkedState(_ kind: StrategyKind) throws -> [String: [Double]] {
    for (key, values) in state.sorted(by: { $0.key < $1.key }) {
      guard !key.isEmpty, !key.contains("/"), key != ".", key != "..", !key.unicodeScalars.contains("\0") else {
        throw mistake(kind, "state under the name \"\(key)\"; a name is not empty and has no slash")
      }
      if let value = values.first(where: { !$0.isFinite }) { throw mistake(kind, "\(value) in its state \"\(key)\"") }
    }
    return state
  }
}

extension UnsafeMutableBufferPointer<Float> {
  /// How many values are not 0, those that are no numbers among them.
  fileprivate var nonZeroCount: Int {
    guard let baseAddress else { return 0 }
    let start = UnsafeRawPointer(baseAddress)
    var lanes = SIMD16<Int32>.zero
    var i = 0
    // A buffer of 2^31 values would be one of 8 GB.
    while i + 16 <= count {
      let values = start.loadUnaligned(fromByteOffset: 4 * i, as: SIMD16<Float>.self)
      lanes &+= SIMD16<Int32>.zero.replacing(with: 1, where: values .!= 0)
      i += 16
    }
    return lanes.indices.reduce(0) { $0 + Int(lanes[$1]) } + self[i...].count { $0 != 0 }
  }
}
