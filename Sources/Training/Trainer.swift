import Configuration
import Datasets
import DetectionCore
import Detectors
import Evaluation
import Files
import NeuralNetwork
import Parallel
import Weights

/// A training run from configuration to weights.
///
/// Files in the output folder: `config.yaml`, `metrics.jsonl`, `checkpoint.h5` (weights, optimiser, step) and at the end
/// `weights.h5`. With the same configuration, seed and thread count the weights are the same bytes, whether or not the
/// run was interrupted and resumed. The folder is locked from the trainer's making to the run's end.
///
/// Several processes may train one network, each on `batchSize` images of every mini-batch, as one process would on all of
/// them: the same losses but for rounding, batch normalisation included. The one of rank 0 writes the files.
public struct Trainer {
  /// How a run begins.
  public enum Start: Hashable, Sendable {
    /// At step 0, in a folder without weights or checkpoint.
    case fresh
    /// At step 0; what an earlier run left in the folder is removed, and only that.
    case overwriting
    /// From the folder's checkpoint.
    case resuming
  }

  public let configuration: ExperimentConfiguration
  public let files: RunFolder
  let network: RetinaNet
  let optimizer: SGD
  let classNames: [String]
  var strategies: Strategies
  var statistics: TrainingStatistics
  var firstStep = 0
  private let trainingSet: any DetectionDataset
  private let validationSet: any DetectionDataset
  private let schedule: LearningRateSchedule
  let processes: any ProcessGroup
  private let start: Start
  /// Held by the process that writes.
  private var lock: FolderLock?
  private var isPrepared = false
  /// Between checkpoints where the configuration leaves it open: what an interruption may cost.
  package var checkpointInterval = Duration.seconds(300)

  /// Locks the output folder; makes data sets, network and strategies; counts the statistics; sets the initial bias, or
  /// loads a checkpoint. Writes nothing that stays.
  /// - Throws: what is wrong with the configuration, the data, the output folder or the checkpoint.
  public init(
    _ configuration: ExperimentConfiguration, registry: StrategyRegistry, start: Start = .fresh,
    processes: any ProcessGroup = SingleProcess(), observer: inout some TrainingObserver
  ) throws {
    self.configuration = configuration
    self.processes = processes
    self.start = start
    let train = configuration.train
    files = RunFolder(train.output)
    strategies = try Strategies(configuration, registry: registry)
    if processes.rank == 0 {
      lock = try files.lock()
      try files.check(start)
    }
    let checkpoint = start == .resuming ? try files.readCheckpoint() : nil
    trainingSet = try configuration.dataset(.train) { observer.note($0) }
    classNames = trainingSet.classNames
    try Self.check(trainingSet)
    validationSet = try configuration.dataset(.validation) { observer.note($0) }.inOrder(
      of: classNames, owners: ("the validation set", "the training set"))
    let survey = try AnnotationSurvey(trainingSet, options: configuration.inputOptions(training: true))
    for line in try survey.notes(file: configuration.data.trainAnnotations) { observer.note(line) }
    if try AnnotationSurvey(validationSet, options: configuration.inputOptions(training: false)).objectCount == 0 {
      observer.note("the validation set has no objects: average precision says nothing")
    }
    network = try RetinaNet(configuration.architecture, classCount: classNames.count, seed: UInt64(configuration.seed), training: true)
    network.precision = configuration.networkPrecision
    if processes.count > 1 { network.batchStatistics = processes }
    if let note = network.precision.note { observer.note(note) }
    optimizer = try SGD(
      network.parameters, momentum: train.momentum, weightDecay: train.weightDecay, clipNorm: train.clipNorm)
    try Self.requireMemory(for: trainingSet, network, configuration)
    schedule = LearningRateSchedule(
      base: train.learningRate, warmupSteps: train.warmupSteps, warmupFactor: train.warmupFactor,
      decaySteps: train.decaySteps, decayFactor: train.decayFactor)
    statistics = try TrainingStatistics.count(
      trainingSet, network: network, options: configuration.inputOptions(training: true), matcher: configuration.matcher,
      processes: processes)
    if let checkpoint {
      try load(checkpoint)
      observer.note("resumed \(files.checkpoint) at step \(firstStep)")
      for line in try differences(from: checkpoint) { observer.note("  \(line)") }
      statistics.calibratedThresholds = checkpoint.weights.metadata.statistics?.calibratedThresholds
    } else {
      observer.note(
        "\(statistics.imageCount) images, N = \(statistics.anchorCount) anchors, N_f = \(statistics.foregroundCount) foreground, N / N_f = \(statistics.anchorCount / max(1, statistics.foregroundCount))"
      )
      try survey.check(statistics, anchorSizes: configuration.detector.anchors.sides.flatMap { $0 })
      try initialize(observer: &observer)
    }
    if processes.count > 1 {
      observer.note(
        "\(processes.count) processes (threads: \(Parallel.threadCount)), \(processes.count * train.accumulate * train.batchSize) images a step")
      try processes.requireSame("weights to start from", network.parameters.checksum ^ UInt32(truncatingIfNeeded: firstStep))
    }
  }

  private static func check(_ training: any DetectionDataset) throws {
    guard training.count > 0 else { throw TrainingError("data: the training set has no images") }
    guard !training.classNames.isEmpty else { throw TrainingError("data: the training set has no classes (categories)") }
  }

  /// Weights to start from, and the bias where they bring none.
  private func initialize(observer: inout some TrainingObserver) throws {
    if let path = configuration.train.initialWeights {
      let weights = try WeightsFile.read(path)
      if let broken = weights.firstNotFinite { throw TrainingError("train.initialWeights: \(path): \(broken) is not finite") }
      let notes = try NormalizationCheck.check(weights.tensors, epsilon: configuration.detector.backbone.epsilon)
      let rows = ClassificationRows(weights, classNames: classNames)
      let (fitted, classesNote) = try rows.applied(to: network)
      let match = fitted.match(expected: network.expectedShapes)
      guard !match.tensors.isEmpty else {
        throw TrainingError("train.initialWeights: no parameter of \(path) fits the detector: \(match.summary())")
      }
      for (path, tensor) in match.tensors { try network.parameters.set(path, to: tensor) }
      for assumption in weights.assumptions { observer.note("initial weights \(path): assumed: \(assumption)") }
      for note in notes { observer.note("initial weights \(path): \(note)") }
      observer.note("initial weights \(path) (\(weights.metadata.convention)): \(match)")
      for difference in try configuration.differences(from: weights.metadata) { observer.note("  \(difference)") }
      if let classesNote { observer.note("  \(classesNote)") }
      // A last layer that was loaded brings its bias along.
      if match.tensors[RetinaNet.classificationBias] != nil {
        if !rows.new.isEmpty { try setBias(ofClasses: rows.new, observer: &observer) }
        return
      }
    }
    try setBias(ofClasses: Array(classNames.indices), observer: &observer)
  }

  private func setBias(ofClasses classes: [Int], observer: inout some TrainingObserver) throws {
    let bias = try strategies.bias.checkedBias(for: statistics, activation: .sigmoid)
    try network.setClassificationBias(bias, ofClasses: classes)
    let set = classes.map { bias[$0] }
    if let smallest = set.min(), let largest = set.max() {
      observer.note("classification bias \(smallest == largest ? "\(smallest)" : "\(smallest)...\(largest)")")
    }
  }

  /// Removes what an earlier run left, unless it is resumed, and writes the configuration. `run` does so where it has not been
  /// done.
  /// - Throws: `TrainingError`.
  public mutating func prepare() throws {
    guard isWriting, !isPrepared else { return }
    try files.prepare(configuration: configuration.yaml, keepingResults: start == .resuming)
    isPrepared = true
  }

  /// Trains to the last step, writes the weights, evaluates.
  /// - Parameter shouldStop: asked before every step and every batch that is evaluated, in each process; one that says so ends
  ///   all of them.
  /// - Returns: the final evaluation, in all processes.
  /// - Throws: `TrainingInterrupted` where it should stop, with a checkpoint written; `TrainingDiverged` where a loss, a
  ///   gradient or a weight stops being finite; checkpoints written before stay.
  public mutating func run(
    observer: inout some TrainingObserver, shouldStop: () -> Bool = { false }
  ) throws -> COCOResult {
    defer { lock = nil }
    let train = configuration.train
    try prepare()
    let metrics =
      isWriting ? try MetricsLog(path: files.metrics, firstStep: firstStep, keepsEvaluation: firstStep < train.steps) : nil
    let step = TrainingStep(
      network: network, matcher: configuration.matcher, coder: configuration.boxCoder,
      regressionWeight: configuration.loss.regressionWeight, statistics: statistics, processes: processes)
    let loader = BatchLoader(
      dataset: trainingSet, options: configuration.inputOptions(training: true), batchSize: train.batchSize,
      seed: UInt64(configuration.seed), firstStep: firstStep * train.accumulate,
      share: (processes.rank, processes.count), prefetch: Self.batchesAhead)
    defer { loader.stop() }
    let clock = ContinuousClock()
    var lastCheckpoint = (step: start == .resuming ? firstStep : nil, time: clock.now)
    func writeCheckpoint(step: Int) throws {
      guard isWriting, lastCheckpoint.step != step else { return }
      try self.writeCheckpoint(step: step, to: files.checkpoint)
      lastCheckpoint = (step, clock.now)
    }
    /// Ends all processes' runs where one of them should stop, but not before the checkpoint is there.
    func stopIfAsked(after step: Int) throws {
      guard try processes.any(shouldStop()) else { return }
      try writeCheckpoint(step: step)
      _ = try processes.any(false)
      throw TrainingInterrupted(step: step, steps: train.steps, checkpoint: files.checkpoint)
    }
    // An evaluation that the interruption came before.
    if train.evaluateEvery > 0, (1..<train.steps).contains(firstStep), firstStep % train.evaluateEvery == 0,
      try processes.any(metrics?.hasEvaluation == false)
    {
      statistics.calibratedThresholds = try calibratedThresholds(shouldStop) { try stopIfAsked(after: firstStep) }
      try evaluate(step: firstStep, metrics, &observer, shouldStop) { try stopIfAsked(after: firstStep) }
    }
    for index in firstStep..<max(firstStep, train.steps) {
      try stopIfAsked(after: index)
      let start = clock.now
      let batches = try (0..<train.accumulate).map { _ in try loader.next() }
      let wait = start.duration(to: clock.now)
      let rate = schedule.rate(at: index)
      let before = StepStart(strategies, network.parameters)
      let (losses, norm): (TrainingStep.Losses, Double)
      do {
        losses = try step.run(batches, step: index, strategies: &strategies)
        norm = optimizer.step(learningRate: rate)
        guard norm.isFinite else { throw TrainingDiverged(step: index, reason: "the gradient's norm is \(norm)") }
      } catch let error as TrainingDiverged { throw explained(error, batches, before, &observer) }
      let report = StepReport(
        step: index, classification: losses.classification, regression: losses.regression,
        scale: Double(losses.scales.classification), regressionScale: Double(losses.scales.regression),
        loss: losses.total, foreground: losses.foreground, learningRate: Double(rate), gradientNorm: norm,
        images: processes.count * batches.reduce(0) { $0 + $1.images.count },
        seconds: start.duration(to: clock.now).seconds, waitSeconds: wait.seconds,
        exchangeSeconds: losses.exchangeSeconds)
      try metrics?.append(report)
      observer.didStep(report, of: train.steps)
      let done = index + 1
      guard done < train.steps else { break }
      let isDue =
        train.checkpointEvery > 0
        ? done % train.checkpointEvery == 0 : lastCheckpoint.time.duration(to: clock.now) >= checkpointInterval
      if isDue { try writeCheckpoint(step: done) }
      if train.evaluateEvery > 0, done % train.evaluateEvery == 0 {
        statistics.calibratedThresholds = try calibratedThresholds(shouldStop) { try stopIfAsked(after: done) }
        try evaluate(step: done, metrics, &observer, shouldStop) { try stopIfAsked(after: done) }
      }
    }
    let done = max(firstStep, train.steps)
    statistics.calibratedThresholds = try calibratedThresholds(shouldStop) { try stopIfAsked(after: done) }
    if isWriting {
      // Its thresholds are new even where its weights are not.
      try self.writeCheckpoint(step: done, to: files.checkpoint)
      lastCheckpoint = (done, clock.now)
      try WeightsFile.write(weights(step: done), to: files.weights)
    }
    let result = try evaluate(step: done, metrics, &observer, shouldStop) { try stopIfAsked(after: done) }
    observer.note("weights: \(files.weights)")
    return result
  }

  /// Batches that are prepared while earlier ones are trained on.
  private static let batchesAhead = 4

  /// - Throws: `EngineError` where the largest mini-batch needs more memory than there is.
  private static func requireMemory(
    for dataset: any DetectionDataset, _ network: RetinaNet, _ configuration: ExperimentConfiguration
  ) throws {
    let options = configuration.inputOptions(training: true)
    var sizes: [(width: Int, height: Int)] = []
    if case .shorterSide = options.size {
      sizes = try (0..<dataset.count).map {
        let header = try dataset.header(at: $0)
        return options.resizedSize(width: header.width, height: header.height)
      }
    }
    let largest = options.paddedSize(of: sizes)
    try network.requireTrainingMemory(
      images: configuration.train.batchSize, height: largest.height, width: largest.width,
      parts: configuration.train.accumulate, batchesAhead: batchesAhead)
  }

  private var isWriting: Bool { processes.rank == 0 }

  /// Lets a thresholder that learns see what the detector finds without any threshold.
  /// - Parameter check: called before anything is made of what may be cut short.
  private func calibratedThresholds(_ shouldStop: () -> Bool, check: () throws -> Void) throws -> [Float]? {
    guard let thresholder = strategies.thresholder as? any CalibratingThresholder else { return statistics.calibratedThresholds }
    let runner = DetectionRunner(
      network: network, classNames: classNames, configuration: configuration,
      thresholds: Array(repeating: 0, count: classNames.count))
    let matches = try runner.matches(
      validationSet, batchSize: configuration.train.batchSize, processes: processes, isCancelled: shouldStop)
    try check()
    return try thresholder.checkedCalibration(matches, statistics: statistics)
  }

  @discardableResult
  private func evaluate(
    step: Int, _ metrics: MetricsLog?, _ observer: inout some TrainingObserver, _ shouldStop: () -> Bool,
    check: () throws -> Void
  ) throws -> COCOResult {
    let runner = DetectionRunner(
      network: network, classNames: classNames, configuration: configuration,
      thresholds: try strategies.thresholder.checkedThresholds(for: statistics),
      candidatesPerLevel: strategies.thresholder.candidatesPerLevel)
    let result = try runner.evaluate(
      validationSet, batchSize: configuration.train.batchSize, processes: processes, isCancelled: shouldStop)
    try check()
    try metrics?.append(result, step: step)
    observer.didEvaluate(result, step: step)
    return result
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
