import Configuration
import Datasets
import DetectionCore
import Detectors
import Evaluation
import Foundation
import NeuralNetwork
import Weights

/// A training run from configuration to weights.
///
/// Files in the output folder: `config.yaml`, `metrics.jsonl`, `checkpoint.h5` (weights, optimiser, step) and at the end
/// `weights.h5`. With the same configuration, seed and thread count the weights are the same bytes, whether or not the
/// run was interrupted and resumed.
public struct Trainer {
  public struct Files: Hashable, Sendable {
    public let folder: String
    public var configuration: String { "\(folder)/config.yaml" }
    public var metrics: String { "\(folder)/metrics.jsonl" }
    public var checkpoint: String { "\(folder)/checkpoint.h5" }
    public var weights: String { "\(folder)/weights.h5" }
  }

  public let configuration: ExperimentConfiguration
  public let files: Files
  private let trainingSet: any DetectionDataset
  private let validationSet: any DetectionDataset
  private let network: RetinaNet
  private let optimizer: SGD
  private let schedule: LearningRateSchedule
  private var strategies: Strategies
  private var statistics: TrainingStatistics
  private var firstStep = 0

  /// Makes data sets, network and strategies; counts the statistics; sets the initial bias, or loads a checkpoint.
  /// - Parameter resume: go on from the output folder's checkpoint.
  /// - Throws: what is wrong with the configuration, the data or the checkpoint.
  public init(
    _ configuration: ExperimentConfiguration, registry: StrategyRegistry, resume: Bool = false,
    observer: inout some TrainingObserver
  ) throws {
    self.configuration = configuration
    let train = configuration.train
    files = Files(folder: train.output)
    strategies = try Strategies(configuration, registry: registry)
    trainingSet = try configuration.dataset(.train)
    validationSet = try configuration.dataset(.validation)
    guard trainingSet.count > 0 else { throw DetectorError("the training set is empty") }
    guard trainingSet.classNames == validationSet.classNames else {
      throw DetectorError("training and validation set have different classes")
    }
    network = try RetinaNet(
      configuration.architecture, classCount: trainingSet.classNames.count, seed: UInt64(configuration.seed))
    optimizer = SGD(
      network.parameters, momentum: train.momentum, weightDecay: train.weightDecay, clipNorm: train.clipNorm)
    schedule = LearningRateSchedule(
      base: train.learningRate, warmupSteps: train.warmupSteps, warmupFactor: train.warmupFactor,
      decaySteps: train.decaySteps, decayFactor: train.decayFactor)

    if resume {
      let checkpoint = try WeightsFile.readCheckpoint(files.checkpoint)
      statistics = try checkpoint.weights.metadata.statistics.map { $0 }
        ?? TrainingStatistics.count(
          trainingSet, network: network, options: configuration.inputOptions(training: true), matcher: configuration.matcher)
      try load(checkpoint)
      observer.note("resumed \(files.checkpoint) at step \(firstStep)")
      return
    }
    statistics = try TrainingStatistics.count(
      trainingSet, network: network, options: configuration.inputOptions(training: true), matcher: configuration.matcher)
    observer.note(
      "\(statistics.imageCount) images, N = \(statistics.anchorCount) anchors, N_f = \(statistics.foregroundCount) foreground, N / N_f = \(statistics.anchorCount / max(1, statistics.foregroundCount))"
    )
    if let path = train.initialWeights {
      let weights = try WeightsFile.read(path)
      let match = weights.match(expected: network.expectedShapes)
      for (path, tensor) in match.tensors { try network.parameters.set(path, to: tensor) }
      observer.note("initial weights \(path) (\(weights.metadata.convention)): \(match)")
      for difference in try configuration.differences(from: weights.metadata) { observer.note("  \(difference)") }
      // A last layer that was loaded brings its bias along.
      if match.tensors["heads/classification/logits/bias"] != nil { return }
    }
    let bias = try strategies.bias.bias(for: statistics, activation: .sigmoid)
    try network.setClassificationBias(bias)
    if let smallest = bias.min(), let largest = bias.max() {
      observer.note("classification bias \(smallest == largest ? "\(smallest)" : "\(smallest)...\(largest)")")
    }
  }

  /// Trains to the last step, evaluates, writes the weights.
  /// - Returns: the final evaluation.
  /// - Throws: `TrainingDiverged` where a loss stops being finite.
  public mutating func run(observer: inout some TrainingObserver) throws -> COCOResult {
    let train = configuration.train
    try FileManager.default.createDirectory(atPath: files.folder, withIntermediateDirectories: true)
    try Data(configuration.yaml.utf8).write(to: URL(fileURLWithPath: files.configuration), options: .atomic)
    let metrics = try MetricsLog(path: files.metrics, firstStep: firstStep)
    let step = TrainingStep(
      network: network, matcher: configuration.matcher, coder: configuration.boxCoder,
      regressionWeight: configuration.loss.regressionWeight, statistics: statistics)
    let loader = BatchLoader(
      dataset: trainingSet, options: configuration.inputOptions(training: true), batchSize: train.batchSize,
      seed: UInt64(configuration.seed), firstStep: firstStep * train.accumulate, prefetch: 4)
    defer { loader.stop() }
    let clock = ContinuousClock()
    for index in firstStep..<max(firstStep, train.steps) {
      let start = clock.now
      let batches = try (0..<train.accumulate).map { _ in try loader.next() }
      let wait = start.duration(to: clock.now)
      let losses: TrainingStep.Losses
      do { losses = try step.run(batches, step: index, strategies: &strategies) } catch let error as StrategyError {
        throw TrainingDiverged(step: index, reason: error.description)
      }
      let rate = schedule.rate(at: index)
      let norm = optimizer.step(learningRate: rate)
      guard norm.isFinite else { throw TrainingDiverged(step: index, reason: "the gradient's norm is \(norm)") }
      let report = StepReport(
        step: index, classification: losses.classification, regression: losses.regression,
        scale: Double(losses.scales.classification), regressionScale: Double(losses.scales.regression),
        loss: losses.total, foreground: losses.foreground, learningRate: Double(rate), gradientNorm: norm,
        images: batches.reduce(0) { $0 + $1.images.count },
        seconds: start.duration(to: clock.now).seconds, waitSeconds: wait.seconds)
      try metrics.append(report)
      observer.didStep(report, of: train.steps)
      let done = index + 1
      if train.checkpointEvery > 0, done % train.checkpointEvery == 0, done < train.steps { try writeCheckpoint(step: done) }
      if train.evaluateEvery > 0, done % train.evaluateEvery == 0, done < train.steps {
        try evaluate(step: done, metrics, &observer)
      }
    }
    try writeCheckpoint(step: max(firstStep, train.steps))
    try WeightsFile.write(weights, to: files.weights)
    let result = try evaluate(step: train.steps, metrics, &observer)
    observer.note("weights: \(files.weights)")
    return result
  }

  @discardableResult
  private func evaluate(step: Int, _ metrics: MetricsLog, _ observer: inout some TrainingObserver) throws -> COCOResult {
    let runner = DetectionRunner(
      network: network, classNames: trainingSet.classNames, configuration: configuration,
      thresholds: try strategies.thresholder.thresholds(for: statistics))
    let result = try runner.evaluate(validationSet, batchSize: configuration.train.batchSize)
    try metrics.append(EvaluationLine(step: step, evaluation: result))
    observer.didEvaluate(result, step: step)
    return result
  }

  // MARK: Weights

  private var weights: ModelWeights {
    get throws {
      var tensors: [String: Tensor] = [:]
      for entry in network.parameters.entries {
        tensors[entry.declaration.path] = try network.parameters.tensor(entry.declaration.path)
      }
      return ModelWeights(
        tensors: tensors,
        metadata: WeightsMetadata(
          detector: configuration.detector.name.rawValue, configuration: configuration.withoutPluginPaths.yaml,
          classNames: trainingSet.classNames, statistics: statistics))
    }
  }

  private func writeCheckpoint(step: Int) throws {
    var training = strategies.state
    training["step"] = [Double(step)]
    try WeightsFile.write(
      Checkpoint(weights: try weights, optimizer: optimizer.state, training: training), to: files.checkpoint)
  }

  private mutating func load(_ checkpoint: Checkpoint) throws {
    let match = checkpoint.weights.match(expected: network.expectedShapes)
    guard match.isComplete else { throw DetectorError("\(files.checkpoint) is of another detector: \(match)") }
    for (path, tensor) in match.tensors { try network.parameters.set(path, to: tensor) }
    try optimizer.restore(checkpoint.optimizer)
    var training = checkpoint.training
    guard let step = training.removeValue(forKey: "step")?.first, step >= 0, step < 1e15 else {
      throw DetectorError("\(files.checkpoint) does not say at which step it was written")
    }
    firstStep = Int(step)
    strategies.state = training
  }
}

private struct EvaluationLine: Encodable {
  let step: Int
  let evaluation: COCOResult
}

/// Training that blew up: the usual end of RetinaNet's plain cross entropy at too high a rate.
public struct TrainingDiverged: Error, CustomStringConvertible, Hashable {
  public let step: Int
  public let reason: String
  public var description: String { "training diverged at step \(step): \(reason)" }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
