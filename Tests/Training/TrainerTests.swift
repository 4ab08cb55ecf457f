import Foundation
import SamplingFree
import TestSupport
import Testing

@Suite(.serialized) struct TrainerTests {
  init() { useThreads(1) }

  @Test func metricsHaveALineForEachStepAndEvaluation() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("deep/run"))
    let notes = Notes()
    let configuration = try TinyExperiment.configuration(output: folder.path, "train.evaluateEvery=2")
    let result = try TinyExperiment.train(configuration, observer: notes)
    let lines = try MetricsLine.read(folder)
    #expect(lines.map(\.step) == [0, 1, 2, 2, 3, 4, 4, 5, 6])
    #expect(lines.compactMap { $0.evaluation == nil ? nil : $0.step } == [2, 4, 6] && notes.evaluations == [2, 4, 6])
    #expect(lines.last?.evaluation == result)
    let steps = lines.filter { $0.evaluation == nil }
    for (line, report) in zip(steps, notes.reports) {
      let (cls, reg, w) = (try #require(line.classification), try #require(line.regression), try #require(line.scale))
      #expect(try #require(line.loss) == w * cls + reg)
      #expect(cls > 0 && reg > 0 && abs(w * cls / reg - 1) < 1e-5)
      #expect(line.images == 2 && line.foreground == report.foreground && line.loss == report.loss)
      #expect(try #require(line.gradientNorm) > 0 && #require(line.seconds) >= #require(line.waitSeconds))
    }
    for (line, rate) in zip(steps, [0.00001, 0.005005, 0.01, 0.01, 0.001, 0.001]) {
      #expect(abs(try #require(line.learningRate) - rate) < 1e-8)
    }
    #expect(try directory.names == ["deep"])
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(files == ["checkpoint.h5", "config.yaml", "metrics.jsonl", "weights.h5"])
    // The configuration is saved whole, beside the weights and within.
    let saved = try String(contentsOfFile: folder.configuration, encoding: .utf8)
    #expect(try ExperimentConfiguration(yaml: saved, name: "saved") == configuration)
    #expect(try WeightsFile.read(folder.weights).metadata.configuration == saved)
  }

  /// Weights bring all that inference needs: the same evaluation follows from the file alone.
  @Test(arguments: ["class-adaptive", "fixed", "scalar", "{top-k: {k: 50}}", "calibrated"])
  func weightsEvaluateAsTheTrainerDid(thresholder: String) throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    let configuration = try TinyExperiment.configuration(output: folder.path, "thresholder=\(thresholder)")
    let result = try TinyExperiment.train(configuration)
    for file in [folder.weights, folder.checkpoint] {
      let runner = try DetectionRunner(weights: WeightsFile.read(file), registry: .standard)
      #expect(try runner.evaluate(configuration.dataset(.validation), batchSize: 3) == result)
      #expect(runner.thresholds.count == 10)
      #expect(runner.postProcessor.candidatesPerLevel == (thresholder.contains("top-k") ? 50 : 1000))
    }
    let statistics = try #require(try WeightsFile.read(folder.weights).metadata.statistics)
    #expect((statistics.calibratedThresholds != nil) == (thresholder == "calibrated"))
  }

  @Test func fineTuningTakesWhatFits() throws {
    let directory = try TemporaryDirectory()
    let (digits, trees) = (RunFolder(directory.file("digits")), RunFolder(directory.file("trees")))
    try TinyExperiment.train(TinyExperiment.configuration(output: digits.path, "train.steps=2"))
    let configuration = try TinyExperiment.configuration(
      output: trees.path, "data.name=tree-crowns", "train.steps=1", "train.learningRate=0",
      "train.initialWeights=\(digits.weights)")
    let notes = Notes()
    var observer = notes
    // Not run: the weights as they start.
    _ = try Trainer(configuration, registry: .standard, observer: &observer)
    let text = notes.notes.joined(separator: "\n")
    #expect(text.contains("none of the file's 10 classes (0, 1, 2, 3, ...) is among 1 class (tree): the last classification layer starts anew"))
    #expect(text.contains("classification bias"))
    try TinyExperiment.train(configuration)
    let (from, to) = (try WeightsFile.read(digits.weights), try WeightsFile.read(trees.weights))
    #expect(to.metadata.classNames.count == 1)
    for (path, tensor) in to.tensors where !path.contains("moving_") && !path.contains("logits") {
      #expect(tensor == from.tensors[path], "\(path)")
    }
    let statistics = try #require(to.metadata.statistics)
    let pi = Double(statistics.foregroundCount) / Double(statistics.anchorCount)
    let bias = try #require(to.tensors[RetinaNet.classificationBias])
    #expect(bias.shape == [2] && bias.values.allSatisfy { abs(Double($0) + log((1 - pi) / pi)) < 1e-4 })
  }

  @Test func initialWeightsOfSomethingElseAreRefused() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("other.h5")
    try WeightsFile.write(
      ModelWeights(
        tensors: ["dense/kernel": Tensor(shape: [2], repeating: 1)], metadata: WeightsMetadata(detector: "?", classNames: ["a"])),
      to: path)
    let configuration = try TinyExperiment.configuration(output: directory.file("run"), "train.initialWeights=\(path)")
    let error = try thrown(TrainingError.self) { try TinyExperiment.train(configuration) }
    #expect(error.description.contains(path), "\(error)")
    #expect(!FileManager.default.fileExists(atPath: directory.file("run")))
  }

  // MARK: Divergence

  @Test func tooHighARateIsAnErrorWithItsStep() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    let configuration = try TinyExperiment.configuration(
      output: folder.path, "train.steps=40", "train.learningRate=100", "train.momentum=1", "train.warmupSteps=0", "train.clipNorm=0",
      "train.checkpointEvery=1", "lossScaler=unscaled", "bias=constant", "detector.backbone.normalization=frozenBatch")
    let error = try thrown(TrainingDiverged.self) { try TinyExperiment.train(configuration) }
    #expect(error.step > 0 && error.description.hasPrefix("training diverged at step \(error.step): "))
    // Every line is whole, and all are of steps before.
    let lines = try MetricsLine.read(folder)
    #expect(lines.map(\.step) == Array(0..<lines.count) && lines.count <= error.step + 1)
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(Set(files).isSubset(of: ["checkpoint.h5", "config.yaml", "diverged.h5", "metrics.jsonl"]), "\(files)")
    // A checkpoint that was written has numbers in it.
    let checkpoint = try WeightsFile.readCheckpoint(folder.checkpoint)
    #expect(checkpoint.weights.tensors.values.allSatisfy { $0.values.allSatisfy { $0.isFinite } })
    #expect(try #require(checkpoint.training["step"]?.first) <= Double(error.step))
  }

  /// The last step may be the one that blows up: its weights are not written.
  @Test func weightsThatAreNotFiniteAreNotWritten() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    var configuration = try TinyExperiment.configuration(output: folder.path, "train.steps=1", "train.warmupSteps=0", "train.clipNorm=0", "lossScaler=unscaled", "loss.regressionWeight=1e6")
    configuration.train.learningRate = .greatestFiniteMagnitude
    let error = try thrown(TrainingDiverged.self) { try TinyExperiment.train(configuration) }
    #expect(error.step == 0 && error.reason.contains("not finite"), "\(error)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["config.yaml", "metrics.jsonl"])
  }

  /// A ReLU would hide a hidden layer's NaN from the losses.
  @Test func weightsThatAreNoNumbersAreRefused() throws {
    let directory = try TemporaryDirectory()
    let first = RunFolder(directory.file("first"))
    try TinyExperiment.train(TinyExperiment.configuration(output: first.path, "train.steps=1"))
    var weights = try WeightsFile.read(first.weights)
    weights.tensors["heads/classification/conv1/bias"]?.values[0] = .nan
    let path = directory.file("nan.h5")
    try WeightsFile.write(weights, to: path)
    let configuration = try TinyExperiment.configuration(output: directory.file("run"), "train.initialWeights=\(path)")
    let error = try thrown(TrainingError.self) { try TinyExperiment.train(configuration) }
    #expect(error.description.contains(path) && error.description.contains("heads/classification/conv1/bias"), "\(error)")
    #expect(throws: DetectorError.self) { try DetectionRunner(weights: weights, registry: .standard) }
  }

  /// The image and the layer where values first left the numbers, and the step once more from what it began with.
  @Test func aDivergedStepIsExplainedAndCanBeReplayed() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    try TinyExperiment.train(TinyExperiment.configuration(output: directory.file("first"), "train.steps=1"))
    var weights = try WeightsFile.read(directory.file("first/weights.h5"))
    // Finite, but not what comes of them.
    let layer = "heads/regression/conv1"
    let kernel = try #require(weights.tensors["\(layer)/kernel"])
    weights.tensors["\(layer)/kernel"] = Tensor(shape: kernel.shape, repeating: 3e38)
    try WeightsFile.write(weights, to: directory.file("large.h5"))
    let configuration = try TinyExperiment.configuration(output: folder.path, "train.initialWeights=\(directory.file("large.h5"))")
    let notes = Notes()
    let error = try thrown(TrainingDiverged.self) { try TinyExperiment.train(configuration, observer: notes) }
    let ids = try BatchLoader.indexes(step: 0, batchSize: 2, count: 12, seed: 3).map { try configuration.dataset(.train).header(at: $0).id }
    #expect(error.step == 0)
    #expect(
      error.reason == "a box delta is not finite; first: \(layer), images \(ids.sorted().map(String.init).joined(separator: ", ")); images of the step: \(ids[0]), \(ids[1])"
        || error.reason == "a box delta is not finite; first: \(layer), images \(ids[0]), \(ids[1]); images of the step: \(ids[0]), \(ids[1])", "\(error)")
    #expect(notes.notes.last == "what step 0 began with: \(folder.diverged)")

    let again = RunFolder(directory.file("again"))
    try FileManager.default.createDirectory(atPath: again.path, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: folder.diverged, toPath: again.checkpoint)
    var same = configuration
    same.train.output = again.path
    #expect(throws: error) { try TinyExperiment.train(same, start: .resuming) }
  }

  /// What is learned before the step that diverges is what the replay begins with.
  @Test func aGradientThatIsNotFiniteNamesItsParameterAndItsStep() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    let configuration = try TinyExperiment.configuration(output: folder.path, "lossScaler=bursting", "train.steps=5", "loss.regressionWeight=1e6")
    var registry = StrategyRegistry.standard
    registry.register(Bursting.self)
    func train(_ configuration: ExperimentConfiguration, _ start: Trainer.Start) throws {
      var observer = Notes()
      var trainer = try Trainer(configuration, registry: registry, start: start, observer: &observer)
      _ = try trainer.run(observer: &observer)
    }
    let error = try thrown(TrainingDiverged.self) { try train(configuration, .fresh) }
    #expect(error.step == 3 && error.reason.hasPrefix("the gradient's norm is "), "\(error)")
    #expect(error.reason.contains("; first: the gradient of heads/"), "\(error)")
    let checkpoint = try WeightsFile.readCheckpoint(folder.diverged)
    #expect(checkpoint.training["step"] == [3] && checkpoint.training["lossScaler/step"] == [3])
    #expect(checkpoint.weights.firstNotFinite == nil)

    let again = RunFolder(directory.file("again"))
    try FileManager.default.createDirectory(atPath: again.path, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: folder.diverged, toPath: again.checkpoint)
    var same = configuration
    same.train.output = again.path
    #expect(throws: error) { try train(same, .resuming) }
  }

  // MARK: Data that cannot be trained on

  /// A COCO data set of one blank image, used for training and validation.
  static func coco(
    _ directory: TemporaryDirectory, categories: String, annotations: String, images: String? = nil
  ) throws -> ExperimentConfiguration {
    try Image(width: 40, height: 30, grey: 90).writePNG(to: directory.file("a.png"))
    let images = images ?? #"{"id": 1, "file_name": "a.png", "width": 40, "height": 30}"#
    let json = try directory.write(
      #"{"images": [\#(images)], "annotations": [\#(annotations)], "categories": [\#(categories)]}"#, to: "coco.json")
    return try ExperimentConfiguration(
      yaml: TinyExperiment.yaml.replacing(#/data: .*/#, with: ""), name: "coco",
      overrides: ["data.name=coco", "train.output=\(directory.file("run"))"]
        + ["train", "validation"].flatMap { ["data.\($0)Annotations=\(json)", "data.\($0)Images=\(directory.path)"] })
  }

  static let cat = #"{"id": 7, "name": "cat"}"#
  static let box = #"{"id": 1, "image_id": 1, "category_id": 7, "bbox": [5, 5, 15, 12], "area": 180, "iscrowd": 0}"#

  @Test func aSmallDataSetOfOnesOwnTrains() throws {
    let directory = try TemporaryDirectory()
    let configuration = try Self.coco(directory, categories: Self.cat, annotations: Self.box)
    try TinyExperiment.train(configuration)
    #expect(try WeightsFile.read(RunFolder(directory.file("run")).weights).metadata.classNames == ["cat"])
  }

  @Test func dataWithoutClassesImagesOrObjectsIsAnError() throws {
    for (categories, annotations, images, part) in [
      ("", "", nil, "categories: is empty"), (Self.cat, "", "", "images: is empty"), (Self.cat, "", nil, "no objects to train on"),
      (Self.cat, #"{"id": 1, "image_id": 1, "category_id": 7, "bbox": [5, 5, 15, 12], "iscrowd": 1}"#, nil, "no objects to train on"),
    ] as [(String, String, String?, String)] {
      let directory = try TemporaryDirectory()
      let configuration = try Self.coco(directory, categories: categories, annotations: annotations, images: images)
      let error = try thrown((any Error).self) { try TinyExperiment.train(configuration) }
      #expect("\(error)".contains(part), "\(error)")
      #expect(!FileManager.default.fileExists(atPath: directory.file("run")))
    }
  }

  @Test func validationClassesMustBeKnown() throws {
    let directory = try TemporaryDirectory()
    var configuration = try Self.coco(directory, categories: Self.cat, annotations: Self.box)
    let other = try TemporaryDirectory()
    configuration.data.validationAnnotations = try Self.coco(
      other, categories: #"{"id": 7, "name": "dog"}"#, annotations: Self.box).data.trainAnnotations
    let error = try thrown(TrainingError.self) { try TinyExperiment.train(configuration) }
    #expect(error.description == "data: the validation set has 1 class (dog), the training set 1 class (cat): no \"dog\" among them")
  }

  @Test func aBrokenImageIsNamed() throws {
    let directory = try TemporaryDirectory()
    let configuration = try Self.coco(directory, categories: Self.cat, annotations: Self.box)
    _ = try directory.write("not an image", to: "a.png")
    let error = try thrown(COCODatasetError.self) { try TinyExperiment.train(configuration) }
    #expect(error.description.contains("a.png: neither a JPEG nor a PNG image"), "\(error)")
  }

  @Test func anOutputFolderThatCannotBeIsNamed() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("a file", to: "occupied")
    let configuration = try TinyExperiment.configuration(output: "\(file)/run")
    let error = try thrown(TrainingError.self) { try TinyExperiment.train(configuration) }
    #expect(error.description.contains("\(file)/run"), "\(error)")
  }
}

/// Its fourth step makes the gradient too large for a number.
struct Bursting: LossScaler, CheckpointedStrategy {
  static let name = "bursting"
  static let summary = "diverges"
  static let source = "a test"

  private var step = 0.0
  init(parameters: inout ParameterReader) {}

  mutating func scales(classification: Float, regression: Float) -> LossScales {
    step += 1
    return LossScales(classification: 1, regression: step == 4 ? 3e38 : 1)
  }

  var state: [String: [Double]] {
    get { ["step": [step]] }
    set { step = newValue["step"]?.first ?? 0 }
  }
}
