import Configuration
import Datasets
import DetectionCore
import Detectors
import Evaluation
import NeuralNetwork
import Parallel
import Weights

/// A network with all that turns images into detections.
public struct DetectionRunner {
  public let network: RetinaNet
  public let classNames: [String]
  public let options: InputOptions
  /// One a class.
  public let thresholds: [Float]
  public let coder: BoxCoder
  public let postProcessor: PostProcessor
  /// Boxes are cut to the image less this many pixels at the right and the bottom.
  public let clipInset: Float

  /// - Parameter candidatesPerLevel: instead of the configuration's.
  public init(
    network: RetinaNet, classNames: [String], configuration: ExperimentConfiguration, thresholds: [Float],
    candidatesPerLevel: Int? = nil
  ) {
    self.network = network
    self.classNames = classNames
    options = configuration.inputOptions(training: false)
    self.thresholds = thresholds
    coder = configuration.boxCoder
    var postProcessor = configuration.postProcessor
    if let candidatesPerLevel { postProcessor.candidatesPerLevel = candidatesPerLevel }
    self.postProcessor = postProcessor
    clipInset = configuration.detector.postProcess.clipInset
  }

  /// From weights, with the configuration and the statistics that were saved with them.
  /// - Throws: `DetectorError` where a parameter is missing or not finite; `StrategyError` where the thresholder needs statistics that
  ///   the weights do not have.
  public init(weights: ModelWeights, configuration: ExperimentConfiguration? = nil, registry: StrategyRegistry) throws {
    guard weights.metadata.detector != WeightsMetadata.backbone else {
      throw DetectorError(
        "the weights are a backbone's (\(weights.metadata.convention)), without a detector: train one from them (train --set train.initialWeights=...)")
    }
    let saved = configuration == nil
    let configuration = try configuration ?? ExperimentConfiguration(yaml: weights.metadata.configuration, name: "the weights' configuration")
    let classNames = weights.metadata.classNames
    let network = try RetinaNet(configuration.architecture, classCount: classNames.count, seed: nil)
    network.precision = configuration.networkPrecision
    let match = weights.match(expected: network.expectedShapes)
    guard match.initialized.isEmpty else {
      throw DetectorError("the weights do not fit the detector: \(match.summary())")
    }
    if let broken = weights.firstNotFinite { throw DetectorError("the weights are damaged: \(broken) is not finite") }
    for (path, tensor) in match.tensors { try network.parameters.set(path, to: tensor) }
    let thresholder: any Thresholder
    do { thresholder = try registry.makeThresholder(configuration.thresholder) } catch let error as StrategyError
    where saved && !configuration.plugins.isEmpty {
      throw StrategyError(
        "\(error); the weights were trained with \(configuration.plugins.joined(separator: ", ")): weights load no plugins, name them yourself (--plugin)")
    }
    let statistics =
      weights.metadata.statistics ?? TrainingStatistics(classCount: classNames.count)
    self.init(
      network: network, classNames: classNames, configuration: configuration,
      thresholds: try thresholder.thresholds(for: statistics), candidatesPerLevel: thresholder.candidatesPerLevel)
  }

  /// - Returns: one list an image, in the image's own pixels, by descending score.
  public func detect(_ images: [Image]) throws -> [[Detection]] {
    let samples = images.enumerated().map { Sample(id: $0.offset, image: $0.element, annotations: []) }
    return try detect(samples)
  }

  func detect(_ samples: [Sample]) throws -> [[Detection]] {
    var generator = SeededGenerator(seed: 0)
    let batch = Batch(samples: samples, options: options, generator: &generator)
    let program = try network.program(
      images: samples.count, height: batch.height, width: batch.width, training: false)
    _ = program.inputValues.update(fromContentsOf: batch.pixels)
    try program.forward()
    let levels = network.levels(height: batch.height, width: batch.width)
    let anchors = network.anchorGenerator.anchors(for: levels)
    let offsets = network.anchorGenerator.levelOffsets(for: levels)
    let logits = program.values(of: network.logits)
    let deltas = program.values(of: network.deltas)
    let classes = network.classCount
    var results = [[Detection]](repeating: [], count: samples.count)
    results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let results = results
      nonisolated(unsafe) let (logits, deltas) = (logits, deltas)
      Parallel.forChunks(of: samples.count) { _, range in
        for i in range {
          let image = batch.images[i]
          let rows = (i * anchors.count)..<((i + 1) * anchors.count)
          results[i] = postProcessor.detections(
            logits: UnsafeBufferPointer(rebasing: logits[(rows.lowerBound * classes)..<(rows.upperBound * classes)]),
            deltas: UnsafeBufferPointer(rebasing: deltas[(rows.lowerBound * 4)..<(rows.upperBound * 4)]),
            anchors: anchors, levelOffsets: offsets, thresholds: thresholds, coder: coder,
            imageWidth: Float(image.width) - clipInset, imageHeight: Float(image.height) - clipInset
          ).map { Detection(box: image.originalBox($0.box), classIndex: $0.classIndex, score: $0.score) }
        }
      }
    }
    return results
  }

  /// Which objects of a data set are found, for `CalibratingThresholder`.
  /// - Parameter isCancelled: see `evaluate`.
  func matches(
    _ dataset: any DetectionDataset, batchSize: Int, processes: any ProcessGroup = SingleProcess(),
    isCancelled: () -> Bool = { false }
  ) throws -> DetectionMatches {
    var matches = DetectionMatches(classCount: classNames.count)
    for (index, detections) in try detect(dataset, batchSize: batchSize, processes: processes, isCancelled: isCancelled).enumerated() {
      let annotations = try dataset.header(at: index).annotations
      func boxes(_ isCrowd: Bool) -> [(box: Box, classIndex: Int)] {
        annotations.filter { $0.isCrowd == isCrowd }.map { ($0.box, $0.classIndex) }
      }
      matches.add(detections, objects: boxes(false), ignored: boxes(true))
    }
    return matches
  }

  /// COCO's average precision on a data set.
  /// - Parameters:
  ///   - processes: each detects in its share of the images; all get the result.
  ///   - progress: called with the number of images done by this process.
  ///   - isCancelled: asked before each batch, by each process for itself; from then on nothing is detected, and the result is
  ///     none.
  /// - Throws: `DetectorError` where the data set's classes are not the detector's.
  public func evaluate(
    _ dataset: any DetectionDataset, batchSize: Int, processes: any ProcessGroup = SingleProcess(),
    progress: (Int) -> Void = { _ in }, isCancelled: () -> Bool = { false }
  ) throws -> COCOResult {
    let classes = try ClassMap(outputs: classNames, dataset: dataset.classNames)
    var evaluator = COCOEvaluator(classCount: dataset.classNames.count)
    let found = try detect(dataset, batchSize: batchSize, processes: processes, progress: progress, isCancelled: isCancelled)
    for (index, detections) in found.enumerated() {
      let header = try dataset.header(at: index)
      evaluator.addImage(header.id)
      for annotation in header.annotations {
        evaluator.addGroundTruth(
          image: header.id, classIndex: annotation.classIndex, box: EvaluationBox(annotation.box),
          area: annotation.area, isCrowd: annotation.isCrowd)
      }
      for detection in detections {
        guard let classIndex = classes.indexes[detection.classIndex] else { continue }
        evaluator.addDetection(
          image: header.id, classIndex: classIndex, box: EvaluationBox(detection.box),
          score: Double(detection.score))
      }
    }
    return evaluator.evaluate()
  }

  /// - Returns: one list for each image of the data set, in all processes.
  private func detect(
    _ dataset: any DetectionDataset, batchSize: Int, processes: any ProcessGroup, progress: (Int) -> Void = { _ in },
    isCancelled: () -> Bool
  ) throws -> [[Detection]] {
    let share = processes.share(of: dataset.count)
    var rows: [Double] = []
    for start in stride(from: share.lowerBound, to: share.upperBound, by: batchSize) where !isCancelled() {
      let images = start..<min(start + batchSize, share.upperBound)
      let found = try detect(images.map { try dataset.sample(at: $0) })
      for (image, detections) in zip(images, found) { rows += detections.flatMap { $0.row(image: image) } }
      progress(images.upperBound - share.lowerBound)
    }
    var all = [[Detection]](repeating: [], count: dataset.count)
    let gathered = try processes.gathered(rows)
    for start in stride(from: 0, to: gathered.count, by: Detection.rowLength) {
      let row = gathered[start..<start + Detection.rowLength]
      all[Int(row[start])].append(Detection(row: row))
    }
    return all
  }
}

extension Detection {
  /// A detection as it travels between processes: image, class, corners, score. Each is exact.
  fileprivate static let rowLength = 7

  fileprivate func row(image: Int) -> [Double] {
    [Double(image), Double(classIndex)] + [box.x1, box.y1, box.x2, box.y2, score].map { Double($0) }
  }

  fileprivate init(row: ArraySlice<Double>) {
    let values = row.dropFirst(2).map { Float($0) }
    self.init(
      box: Box(x1: values[0], y1: values[1], x2: values[2], y2: values[3]), classIndex: Int(row[row.startIndex + 1]),
      score: values[4])
  }
}

extension EvaluationBox {
  public init(_ box: Box) {
    self.init(
      x: Double(box.x1), y: Double(box.y1), width: Double(box.x2) - Double(box.x1), height: Double(box.y2) - Double(box.y1))
  }
}
