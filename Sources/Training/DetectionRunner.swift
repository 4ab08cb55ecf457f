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
  /// Whether a class called "3" was called so by somebody.
  private var numbersAreNames = true

  /// - Parameter candidatesPerLevel: instead of the configuration's.
  /// - Precondition: as many thresholds as classes.
  public init(
    network: RetinaNet, classNames: [String], configuration: ExperimentConfiguration, thresholds: [Float],
    candidatesPerLevel: Int? = nil
  ) {
    precondition(
      thresholds.count == network.classCount && classNames.count == network.classCount,
      "\(thresholds.count) thresholds and \(classNames.count) names for \(network.classCount) classes")
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
  /// - Throws: `DetectorError` where a parameter is missing, unknown or not finite, `ConventionError` where a normalisation
  ///   divides by nothing, before memory is taken for the network; `StrategyError` where the thresholder needs statistics that
  ///   the weights do not have.
  public init(weights: ModelWeights, configuration: ExperimentConfiguration? = nil, registry: StrategyRegistry) throws {
    guard weights.metadata.detector != WeightsMetadata.backbone else {
      throw DetectorError(
        "the weights are a backbone's (\(weights.metadata.convention)), without a detector: train one from them (train --set train.initialWeights=...)")
    }
    let saved = configuration == nil
    let configuration = try configuration ?? ExperimentConfiguration(yaml: weights.metadata.configuration, name: "the weights' configuration")
    let classNames = weights.metadata.classNames
    let match = weights.match(expected: try configuration.architecture.parameterShapes(classCount: classNames.count))
    // A parameter that this network does not have is of another one; what lies outside the network is in `leftovers`.
    guard match.initialized.isEmpty, match.tensors.count == weights.tensors.count else {
      throw DetectorError("the weights do not fit the detector: \(match.summary())")
    }
    _ = try NormalizationCheck.check(weights.tensors, epsilon: configuration.detector.backbone.epsilon)
    if let broken = weights.firstNotFinite { throw DetectorError("the weights are damaged: \(broken) is not finite") }
    let network = try RetinaNet(configuration.architecture, classCount: classNames.count, seed: nil)
    network.precision = configuration.networkPrecision
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
      thresholds: try thresholder.checkedThresholds(for: statistics), candidatesPerLevel: thresholder.candidatesPerLevel)
    numbersAreNames = weights.metadata.convention == Convention.native.name
  }

  /// - Returns: one list an image, in the image's own pixels, by descending score; what it would be of that image alone.
  /// - Throws: `DetectorError` where the network's results are not finite.
  public func detect(_ images: [Image]) throws -> [[Detection]] {
    let samples = images.enumerated().map { Sample(id: $0.offset, image: $0.element, annotations: []) }
    var results = [[Detection]](repeating: [], count: samples.count)
    for group in groups(of: samples.map { ($0.originalWidth, $0.originalHeight) }) {
      for (index, detections) in zip(group, try detect(group.map { samples[$0] })) { results[index] = detections }
    }
    return results
  }

  /// Images that are padded to the same size, each as if it were alone, so that what is found in one does not depend on
  /// the others. Groups and their images are in order of appearance.
  /// - Parameter sizes: of the images themselves.
  private func groups(of sizes: [(width: Int, height: Int)]) -> [[Int]] {
    var groups: [[Int]] = []
    var positions: [[Int]: Int] = [:]
    for (index, size) in sizes.enumerated() {
      let padded = options.paddedSize(of: [options.resizedSize(width: size.width, height: size.height)])
      let position = positions[[padded.width, padded.height], default: groups.count]
      if position == groups.count {
        positions[[padded.width, padded.height]] = position
        groups.append([])
      }
      groups[position].append(index)
    }
    return groups
  }

  /// - Parameter samples: a batch, all of the same padded size.
  private func detect(_ samples: [Sample]) throws -> [[Detection]] {
    let padded = options.paddedSize(of: samples.map { options.resizedSize(width: $0.originalWidth, height: $0.originalHeight) })
    // First of all the memory for it.
    let program = try network.program(images: samples.count, height: padded.height, width: padded.width, training: false)
    var generator = SeededGenerator(seed: 0)
    let batch = Batch(samples: samples, options: options, generator: &generator)
    _ = program.inputValues.update(fromContentsOf: batch.pixels)
    try program.forward()
    let levels = network.levels(height: batch.height, width: batch.width)
    let anchors = network.anchorGenerator.anchors(for: levels)
    let offsets = network.anchorGenerator.levelOffsets(for: levels)
    let logits = program.values(of: network.logits)
    let deltas = program.values(of: network.deltas)
    guard program.values(of: network.pyramid).allFinite, logits.allFinite, deltas.allFinite else {
      let place = try network.firstNotFinite(batch.pixels, images: samples.count, height: batch.height, width: batch.width)
      throw DetectorError("the network's results are not finite, first those of \(place): its weights are damaged or go with other settings")
    }
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

  /// How a data set's classes are found among the detector's.
  public func classes(of dataset: any DetectionDataset) -> ClassMatching {
    ClassMatching(dataset.classNames, in: classNames, numbersAreNames: numbersAreNames)
  }

  /// COCO's average precision on a data set.
  /// - Parameters:
  ///   - processes: each detects in its share of the images; all get the result.
  ///   - progress: called with the number of images done by this process.
  ///   - isCancelled: asked before each batch, by each process for itself; from then on nothing is detected, and the result is
  ///     none.
  /// - Throws: `DetectorError` naming a class of the data set that the detector does not know.
  public func evaluate(
    _ dataset: any DetectionDataset, batchSize: Int, processes: any ProcessGroup = SingleProcess(),
    progress: (Int) -> Void = { _ in }, isCancelled: () -> Bool = { false }
  ) throws -> COCOResult {
    let matching = classes(of: dataset)
    if let complaint = matching.complaint("the data set", "the detector") { throw DetectorError(complaint) }
    var classIndexes = [Int?](repeating: nil, count: classNames.count)
    for (classIndex, output) in matching.indexes.enumerated() { if let output { classIndexes[output] = classIndex } }
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
        guard let classIndex = classIndexes[detection.classIndex] else { continue }
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
    var done = 0
    // Size by size, so that each is compiled once.
    for group in groups(of: try share.map { (try dataset.header(at: $0).width, try dataset.header(at: $0).height) }) {
      for start in stride(from: 0, to: group.count, by: batchSize) where !isCancelled() {
        let images = group[start..<min(start + batchSize, group.count)].map { share.lowerBound + $0 }
        let found = try detect(images.map { try dataset.sample(at: $0) })
        for (image, detections) in zip(images, found) { rows += detections.flatMap { $0.row(image: image) } }
        done += images.count
        progress(done)
      }
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

extension UnsafeBufferPointer<Float> {
  /// Whether no value is infinite or no number, in one pass without branches.
  fileprivate var allFinite: Bool {
    var marks: UInt32 = 0
    // An exponent of all ones carries over into the sign's place.
    for value in self { marks |= (value.bitPattern & 0x7f80_0000) &+ 0x0080_0000 }
    return marks & 0x8000_0000 == 0
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
