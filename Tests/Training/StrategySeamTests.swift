import SamplingFree
import TestSupport
import Testing

/// What a strategy of somebody else's returns is checked where it comes in, and the error names strategy and value.
@Suite(.serialized) struct StrategySeamTests {
  init() { useThreads(1) }

  /// Returns what cannot be; which of it, `mistake` says.
  struct BadSampler: Sampler {
    static let name = "bad", summary = "", source = ""
    static let parameters = [ParameterDescription("mistake", default: "count", "which")]
    enum Mistake: String, CaseIterable { case count, negative, nan, normalizer, law, lawNaN = "law-nan", slope }
    let mistake: Mistake
    init(parameters: inout ParameterReader) throws { mistake = try parameters.choice("mistake", default: .count) }

    func weighting(for batch: ClassificationBatch, step: Int) -> Weighting {
      var weights = [Float](repeating: 1, count: batch.anchorCount)
      switch mistake {
      case .count: return Weighting(anchorWeights: [1, 2, 3], normalizer: 1)
      case .negative: weights[7] = -0.5
      case .nan: weights[7] = .nan
      case .normalizer: return Weighting(normalizer: .nan)
      case .law: return Weighting(law: .custom(Law(weight: -1, slope: 0)), normalizer: 1)
      case .lawNaN: return Weighting(law: .custom(Law(weight: .nan, slope: 0)), normalizer: 1)
      case .slope: return Weighting(law: .custom(Law(weight: 1, slope: .infinity)), normalizer: 1)
      }
      return Weighting(anchorWeights: weights, normalizer: 1)
    }

    struct Law: ElementWeighting {
      let weight, slope: Float
      var carriesGradient: Bool { slope != 0 }
      func weigh(_ block: WeightingBlock) {
        block.weights.update(repeating: weight)
        block.slopes.update(repeating: slope)
      }
    }
  }

  struct BadRegressionLoss: RegressionLoss {
    static let name = "bad", summary = "", source = ""
    static let parameters = [ParameterDescription("mistake", default: "nan", "which")]
    enum Mistake: String, CaseIterable { case nan, negative, normalizer, gradient, background, nothing }
    let mistake: Mistake
    init(parameters: inout ParameterReader) throws { mistake = try parameters.choice("mistake", default: .nan) }

    func evaluate(_ batch: RegressionBatch, gradient: UnsafeMutableBufferPointer<Float>) -> RegressionLossValue {
      let sum = batch.sum(gradient: gradient) { (abs($0), $0 < 0 ? -1 : 1) }
      let foreground = Set(batch.foreground)
      let background = gradient.indices.first { !foreground.contains($0 / 4) } ?? 0
      switch mistake {
      case .nan: return RegressionLossValue(sum: .nan, normalizer: 1)
      case .negative: return RegressionLossValue(sum: -3, normalizer: 1)
      case .normalizer: return RegressionLossValue(sum: 3, normalizer: -2)
      case .gradient: gradient[4 * batch.foreground[0] + 2] = .nan
      case .background: gradient[background] = 0.25
      case .nothing: break
      }
      return RegressionLossValue(sum: sum, normalizer: Double(batch.foreground.count))
    }
  }

  struct BadScaler: LossScaler, CheckpointedStrategy {
    static let name = "bad", summary = "", source = ""
    static let parameters = [ParameterDescription("mistake", default: "nan", "which")]
    enum Mistake: String, CaseIterable { case nan, negative, regression, penalty, key, state }
    let mistake: Mistake
    init(parameters: inout ParameterReader) throws { mistake = try parameters.choice("mistake", default: .nan) }

    func scales(classification: Float, regression: Float) -> LossScales {
      switch mistake {
      case .nan: LossScales(classification: .nan)
      case .negative: LossScales(classification: -1)
      case .regression: LossScales(classification: 1, regression: .infinity)
      case .penalty: LossScales(classification: 1, penalty: .nan)
      case .key, .state: LossScales(classification: 1)
      }
    }
    var state: [String: [Double]] {
      get { mistake == .key ? ["a/b": [1]] : mistake == .state ? ["a": [1, .nan]] : [:] }
      set {}
    }
  }

  struct BadBias: BiasInitializer {
    static let name = "bad", summary = "", source = ""
    static let parameters = [ParameterDescription("mistake", default: "count", "which")]
    enum Mistake: String, CaseIterable { case count, nan }
    let mistake: Mistake
    init(parameters: inout ParameterReader) throws { mistake = try parameters.choice("mistake", default: .count) }
    func bias(for statistics: TrainingStatistics, activation: Activation) -> [Float] {
      mistake == .count ? [-1, -2, -3] : Array(repeating: -.infinity, count: statistics.classCount)
    }
  }

  struct BadThresholder: CalibratingThresholder {
    static let name = "bad", summary = "", source = ""
    static let parameters = [ParameterDescription("mistake", default: "count", "which")]
    enum Mistake: String, CaseIterable { case count, nan, negative, over, candidates, calibration }
    let mistake: Mistake
    init(parameters: inout ParameterReader) throws { mistake = try parameters.choice("mistake", default: .count) }
    var candidatesPerLevel: Int? { mistake == .candidates ? 0 : nil }
    func thresholds(for statistics: TrainingStatistics) -> [Float] {
      var thresholds = [Float](repeating: 1, count: statistics.classCount)  // 1 lets nothing through
      switch mistake {
      case .count: return [0.1, 0.2, 0.3]
      case .nan: thresholds[4] = .nan
      case .negative: thresholds[4] = -0.1
      case .over: thresholds[4] = 1.5
      case .candidates, .calibration: break
      }
      return thresholds
    }
    func calibrate(_ matches: DetectionMatches, statistics: TrainingStatistics) -> [Float] {
      mistake == .calibration ? [0.5] : Array(repeating: 0.5, count: statistics.classCount)
    }
  }

  static var registry: StrategyRegistry {
    var registry = StrategyRegistry.standard
    registry.register(BadSampler.self)
    registry.register(BadRegressionLoss.self)
    registry.register(BadScaler.self)
    registry.register(BadBias.self)
    registry.register(BadThresholder.self)
    return registry
  }

  @Test(arguments: [
    ("sampler", "count", "sampler \"bad\": 3 anchor weights for "), ("sampler", "negative", "sampler \"bad\": -0.5 as one of its anchor weights"),
    ("sampler", "nan", "sampler \"bad\": nan as one of its anchor weights"), ("sampler", "normalizer", "sampler \"bad\": nan as normaliser"),
    ("sampler", "law", "sampler \"bad\": its law gave a weight"), ("sampler", "law-nan", "sampler \"bad\": its law gave a weight"),
    ("sampler", "slope", "sampler \"bad\": its law gave a weight"),
    ("loss.regression", "nan", "regressionLoss \"bad\": nan as sum"), ("loss.regression", "negative", "regressionLoss \"bad\": -3.0 as sum"),
    ("loss.regression", "normalizer", "regressionLoss \"bad\": -2.0 as normaliser"),
    ("loss.regression", "gradient", "regressionLoss \"bad\": the gradient of delta 2 of anchor "),
    ("loss.regression", "background", "regressionLoss \"bad\": the gradient of anchor 0, which is no foreground, is 0.25"),
    ("lossScaler", "nan", "lossScaler \"bad\": nan as factor of the classification loss"),
    ("lossScaler", "negative", "lossScaler \"bad\": -1.0 as factor of the classification loss"),
    ("lossScaler", "regression", "lossScaler \"bad\": inf as factor of the regression loss"),
    ("lossScaler", "penalty", "lossScaler \"bad\": nan as penalty"), ("lossScaler", "key", "lossScaler \"bad\": state under the name \"a/b\""),
    ("lossScaler", "state", "lossScaler \"bad\": nan in its state \"a\""),
    ("bias", "count", "bias \"bad\": 3 biases for 10 classes"), ("bias", "nan", "bias \"bad\": -inf as bias 0"),
    ("thresholder", "count", "thresholder \"bad\": 3 thresholds for 10 classes"),
    ("thresholder", "nan", "thresholder \"bad\": nan as threshold of class 4"), ("thresholder", "negative", "thresholder \"bad\": -0.1 as threshold of class 4"),
    ("thresholder", "over", "thresholder \"bad\": 1.5 as threshold of class 4"), ("thresholder", "candidates", "thresholder \"bad\": 0 candidates a level"),
    ("thresholder", "calibration", "thresholder \"bad\": 1 thresholds for 10 classes"),
  ])
  func whatCannotBeIsNamed(kind: String, mistake: String, message: String) throws {
    let directory = try TemporaryDirectory()
    let configuration = try TinyExperiment.configuration(
      output: directory.file("run"), "\(kind)={ bad: { mistake: \"\(mistake)\" } }", "train.steps=1", "data.validationCount=1")
    let error = try thrown(StrategyError.self) {
      var notes = Notes()
      var trainer = try Trainer(configuration, registry: Self.registry, observer: &notes)
      _ = try trainer.run(observer: &notes)
    }
    #expect(error.description.hasPrefix(message), "\(error)")
  }

  /// What may be unusual is let through.
  @Test func aLossWithoutMistakesTrains() throws {
    let directory = try TemporaryDirectory()
    let configuration = try TinyExperiment.configuration(
      output: directory.file("run"), "loss.regression={ bad: { mistake: nothing } }", "train.steps=2", "data.validationCount=1")
    var notes = Notes()
    var trainer = try Trainer(configuration, registry: Self.registry, observer: &notes)
    #expect(try trainer.run(observer: &notes).ap >= 0)
    #expect(notes.reports.count == 2)
  }
}
