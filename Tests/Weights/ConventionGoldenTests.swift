import Configuration
import Datasets
import DetectionCore
import Detectors
import Foundation
import HDF5
import NeuralNetwork
import SamplingFree
import TestSupport
import Testing
import Training
import Weights

/// Files that other frameworks wrote: recognised by what is in them, and computing what those frameworks compute.
@Suite struct ConventionGoldenTests {
  let directory = try! TemporaryDirectory()

  init() { useThreads(1) }

  private static func load(_ weights: ModelWeights, into parameters: Parameters) throws {
    let match = weights.match(expected: parameters.shapes)
    #expect(match.initialized.isEmpty && match.loaded.count == weights.tensors.count, "\(match)")
    for (path, tensor) in match.tensors { try parameters.set(path, to: tensor) }
  }

  /// Features, or logits and deltas, of the goldens' pixels.
  private static func outputs(of weights: ModelWeights) throws -> [String: [Float]] {
    let architecture = try ExperimentConfiguration(yaml: weights.metadata.configuration, name: "weights").architecture
    let (images, height, width) = (Golden.shape[0], Golden.shape[2], Golden.shape[3])
    let program: Program
    let outputs: [String: Graph.Output]
    if weights.metadata.detector == WeightsMetadata.backbone {
      let backbone = try Backbone(architecture.backbone, seed: nil)
      try load(weights, into: backbone.parameters)
      program = try backbone.program(images: images, height: height, width: width)
      outputs = Dictionary(uniqueKeysWithValues: backbone.stages.enumerated().map { ("C\($0.offset + 2)", $0.element) })
    } else {
      let network = try RetinaNet(architecture, classCount: weights.metadata.classNames.count, seed: nil)
      try load(weights, into: network.parameters)
      program = try network.program(images: images, height: height, width: width, training: false)
      outputs = ["logits": network.logits, "deltas": network.deltas]
    }
    _ = program.inputValues.update(fromContentsOf: HashedValues.pixels("pixels", count: Golden.shape.reduce(1, *)))
    try program.forward()
    return outputs.mapValues { Array(program.values(of: $0)) }
  }

  @Test(arguments: Golden.names) func outputsAreTheFrameworks(name: String) throws {
    let golden = try Golden.named(name)
    let weights = try WeightsFile.read(Golden.file(name, in: directory))
    #expect(weights.metadata.convention == golden.convention)
    #expect(weights.leftovers == golden.leftovers)
    let outputs = try Self.outputs(of: weights)
    #expect(outputs.keys.sorted() == golden.outputs.keys.sorted())
    for (output, sample) in golden.outputs {
      #expect(sample.error(of: outputs[output] ?? [], name: output) < 1e-4, "\(output)")
    }
  }

  @Test(arguments: ["keras-retinanet.h5", "keras-retinanet-zero-padded.h5", "keras-retinanet-anchors.h5", "torchvision.h5"])
  func detectionsAreTheFrameworks(name: String) throws {
    let golden = try Golden.named(name)
    let (expected, size) = (try #require(golden.detections), try #require(golden.image))
    let weights = try WeightsFile.read(Golden.file(name, in: directory))
    let runner = try DetectionRunner(weights: weights, registry: .standard)
    let (rows, columns) = ((size.height - 1) / size.side + 1, (size.width - 1) / size.side + 1)
    let colours = HashedValues.uniform("mosaic", count: rows * columns * 3).map { UInt8(256 * $0) }
    var pixels: [UInt8] = []
    for y in 0..<size.height {
      for x in 0..<size.width {
        let tile = y / size.side * columns + x / size.side
        pixels += colours[(3 * tile)..<(3 * tile + 3)]
      }
    }
    var found = try runner.detect([Image(width: size.width, height: size.height, pixels: pixels)])[0]
    #expect(found.count == expected.count && expected.count > 5)
    for detection in expected {
      let box = Box(x1: detection.box[0], y1: detection.box[1], x2: detection.box[2], y2: detection.box[3])
      let index = found.firstIndex { candidate in
        let own = candidate.box
        let differences = [own.x1 - box.x1, own.y1 - box.y1, own.x2 - box.x2, own.y2 - box.y2]
        return candidate.classIndex == detection.label && abs(candidate.score - detection.score) < 1e-4
          && differences.allSatisfy { abs($0) < 0.02 }
      }
      #expect(index != nil, "\(detection)")
      if let index { found.remove(at: index) }
    }
  }

  /// Values by layer and parameter, whatever the groups above are called.
  private static func stored(_ path: String) throws -> [String: [Float]] {
    var values: [String: [Float]] = [:]
    try HDF5File(reading: path).root.walk { node in
      guard case .dataset(let dataset) = node, !dataset.path.contains("optimizer"), !dataset.path.hasSuffix("num_batches_tracked")
      else { return }
      let name = dataset.path.split(separator: "/").suffix(2).joined(separator: "/").split(separator: ":")[0]
      values[String(name)] = try dataset.read()
    }
    return values
  }

  /// What comes in comes out again: through this package's file into the framework's layout, value by value.
  @Test(arguments: ["keras-legacy-weights.h5", "keras-retinanet.h5", "keras-retinanet-zero-padded.h5", "torchvision.h5"])
  func weightsGoBackAsTheyCame(name: String) throws {
    let path = try Golden.file(name, in: directory)
    let weights = try WeightsFile.read(path)
    let target: WeightsFile.Target = name.hasPrefix("keras") ? .keras : .torchvision
    try WeightsFile.write(weights, to: directory.file("native"))
    var native = try WeightsFile.read(directory.file("native"))
    (native.leftovers, native.assumptions) = (weights.leftovers, weights.assumptions)
    #expect(native == weights)
    #expect(try WeightsFile.differences(of: native, from: target).isEmpty)
    try WeightsFile.write(native, to: directory.file("back"), as: target)
    #expect(try WeightsFile.read(directory.file("back")).tensors == weights.tensors)
    #expect(try WeightsFile.read(directory.file("back")).metadata == weights.metadata)
    let original = try Self.stored(path).filter { !weights.leftovers.contains($0.key) }
    #expect(try Self.stored(directory.file("back")) == original)
  }

  /// Keras 3's own layout has names in attributes; without them the order of layers tells.
  @Test func kerasNumbersLayersInTheOrderOfTheModel() throws {
    let weights = try WeightsFile.read(Golden.file("keras3.weights.h5", in: directory))
    try WeightsFile.write(weights, to: directory.file("back.weights.h5"), as: .keras)
    #expect(try WeightsFile.read(directory.file("back.weights.h5")).tensors == weights.tensors)
    // Files of Keras before 3.5 are the same less the names.
    var parameters: [(path: String, dataset: HDF5Dataset)] = []
    try HDF5File(reading: directory.file("back.weights.h5")).root.walk { node in
      if case .dataset(let dataset) = node { parameters.append((dataset.path, dataset)) }
    }
    try HDF5File.writeAtomically(to: directory.file("unnamed")) { file in
      for (path, dataset) in parameters {
        try file.root.createDataset(String(path.dropFirst()), shape: dataset.shape, values: dataset.read(as: Float.self))
      }
    }
    #expect(try WeightsFile.read(directory.file("unnamed")).tensors == weights.tensors)
  }

  @Test func anotherNumberOfClassesLeavesTheLastLayerNew() throws {
    let weights = try WeightsFile.read(Golden.file("keras-retinanet.h5", in: directory))
    let architecture = try ExperimentConfiguration(yaml: weights.metadata.configuration, name: "weights").architecture
    let network = try RetinaNet(architecture, classCount: 5, seed: 0)
    #expect(
      weights.match(expected: network.expectedShapes).description == """
        loaded 299, skipped 2, newly initialised 2
          skipped heads/classification/logits/bias: shape [27] where the model has [45]
          skipped heads/classification/logits/kernel: shape [27, 8, 3, 3] where the model has [45, 8, 3, 3]
          newly initialised heads/classification/logits/bias
          newly initialised heads/classification/logits/kernel
        """)
    // A backbone fills a detector's backbone: all that is new lies above it.
    let backbone = try WeightsFile.read(Golden.file("keras-legacy-weights.h5", in: directory))
    var whole = architecture
    whole.backbone = try ExperimentConfiguration(yaml: backbone.metadata.configuration, name: "weights").architecture.backbone
    let match = backbone.match(expected: try RetinaNet(whole, classCount: 5, seed: 0).expectedShapes)
    #expect(match.loaded.count == 318 && match.loaded.allSatisfy { $0.hasPrefix("backbone/") })
    #expect(match.initialized.count == 36 && !match.initialized.contains { $0.hasPrefix("backbone/") })
    #expect(match.skipped.map(\.path) == ["predictions/bias", "predictions/kernel"])
  }

  /// keras-resnet's shallow networks, which no model of keras-retinanet uses, have one convolution more.
  @Test(arguments: [18, 34], [Convention.kerasRetinaNet, .kerasRetinaNetZeroPadded, .torchvision])
  func shallowBackbones(depth: Int, convention: Convention) throws {
    var configuration = ExperimentConfiguration()
    configuration.detector = convention.detector
    configuration.detector.backbone.depth = depth
    configuration.detector.backbone.width = 4
    configuration.input = convention.input
    let backbone = try Backbone(configuration.architecture.backbone, seed: 5)
    let tensors = try backbone.parameters.shapes.keys.map { ($0, try backbone.parameters.tensor($0)) }
    #expect(backbone.parameters.shapes.keys.contains("backbone/stage1/block1/downsample/conv/kernel") == (convention != .torchvision))
    let weights = ModelWeights(
      tensors: Dictionary(uniqueKeysWithValues: tensors),
      metadata: WeightsMetadata(
        detector: WeightsMetadata.backbone, configuration: configuration.yaml, classNames: [], convention: convention.name))
    let (target, other): (WeightsFile.Target, WeightsFile.Target) = convention == .torchvision ? (.torchvision, .keras) : (.keras, .torchvision)
    #expect(try WeightsFile.differences(of: weights, from: target).isEmpty)
    #expect(try WeightsFile.differences(of: weights, from: other).map(\.key).contains("detector.backbone.firstProjection"))
    try WeightsFile.write(weights, to: directory.file("w"), as: target)
    let read = try WeightsFile.read(directory.file("w"))
    #expect(read.tensors == weights.tensors && read.metadata.convention == convention.name)
    #expect(
      try ExperimentConfiguration(yaml: read.metadata.configuration, name: "read").architecture.backbone
        == configuration.architecture.backbone)
  }
}
