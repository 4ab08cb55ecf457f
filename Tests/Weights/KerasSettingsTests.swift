import Configuration
import Foundation
import HDF5
import NeuralNetwork
import SamplingFree
import TestSupport
import Testing
import Weights

/// What Keras' files say of their models, and what is assumed where they do not.
@Suite struct KerasSettingsTests {
  let directory = try! TemporaryDirectory()

  private static func configuration(_ weights: ModelWeights) throws -> ExperimentConfiguration {
    try ExperimentConfiguration(yaml: weights.metadata.configuration, name: "weights")
  }

  /// A golden with its model's configuration changed, by pieces of text.
  private func restated(_ golden: String, _ replacements: [(String, String)], first: Bool = false) throws -> String {
    var copy = FileCopy()
    copy.attribute = { _, name, value in
      guard name == "model_config", case .strings(let texts, let shape) = value, var text = texts.first else { return value }
      for (old, new) in replacements {
        guard let range = text.range(of: old) else { continue }
        text = first ? text.replacingCharacters(in: range, with: new) : text.replacingOccurrences(of: old, with: new)
      }
      return .strings([text], shape: shape)
    }
    try copy.write(try Golden.file(golden, in: directory), to: directory.file("restated"))
    return directory.file("restated")
  }

  private static let first = "keras-2.15-first-resnet50.h5"

  // MARK: The first ResNet-50

  @Test func theModelSaysItself() throws {
    let weights = try WeightsFile.read(Golden.file(Self.first, in: directory))
    let backbone = try Self.configuration(weights).detector.backbone
    #expect(backbone.epsilon == 1e-3 && backbone.convolutionBias && backbone.bottleneckStride == .conv1)
    #expect(backbone.stemPadding == .symmetric && backbone.poolPadding == .symmetric)
    #expect(weights.assumptions.isEmpty)
  }

  @Test func ofWeightsAloneTheAssumptionIsSaid() throws {
    let path = try Golden.file("keras-1-weights.h5", in: directory)
    let weights = try WeightsFile.read(path)
    let backbone = try Self.configuration(weights).detector.backbone
    #expect(backbone.epsilon == 1e-3 && backbone.convolutionBias && backbone.bottleneckStride == .conv1)
    #expect(backbone.stemPadding == .symmetric && backbone.poolPadding == .none)
    let assumption = "epsilon 0.001, 3 zeros around the image, pooling without padding: as Keras' own ResNet-50 of these layers; the file has no settings"
    #expect(weights.assumptions == [assumption])
    #expect(try WeightsFile.summary(path).contains("assumed: \(assumption)"))
  }

  /// Layers without parameters are listed all the same: they tell one version from the other.
  @Test(arguments: [
    (["input_1", "conv1"], [], DetectorConfiguration.Padding.same, DetectorConfiguration.PoolPadding.none),
    (["input_1", "zero_padding2d_1", "conv1"], [], .symmetric, .none), (["input_1", "conv1_pad", "conv1"], ["pool1_pad"], .symmetric, .symmetric),
    (["input_image", "zero_padding2d_1", "conv1"], ["max_pooling2d_1", "fpn_c5p5"], .symmetric, .same),
  ]) func listsOfLayersTell(
    stem: [String], behind: [String], stemPadding: DetectorConfiguration.Padding, poolPadding: DetectorConfiguration.PoolPadding
  ) throws {
    var copy = FileCopy()
    let golden = try Golden.file("keras-1-weights.h5", in: directory)
    let layers = try HDF5File(reading: golden).root.strings("layer_names")
    let start = try #require(layers.firstIndex(of: "bn_conv1"))
    let list = stem + ["bn_conv1"] + behind + layers[(start + 1)...].filter { !$0.contains("pad") }
    copy.attribute = { $1 == "layer_names" ? .strings(list) : $2 }
    for name in Set(list).subtracting(layers) { copy.extraGroups[name] = ["weight_names": .strings([])] }
    try copy.write(golden, to: directory.file("listed"))
    let backbone = try Self.configuration(WeightsFile.read(directory.file("listed"))).detector.backbone
    #expect(backbone.stemPadding == stemPadding && backbone.poolPadding == poolPadding && backbone.epsilon == 1e-3)
  }

  /// A detector on it keeps the package's own rows and columns: level 3 and above are as many as without the gap.
  @Test func theFirstResNet50TrainsUnderADetector() throws {
    let weights = try WeightsFile.read(Golden.file("keras-1-weights.h5", in: directory))
    var configuration = try Self.configuration(weights)
    (configuration.detector.pyramid.channels, configuration.detector.head.channels) = (8, 8)
    configuration.detector.head.convolutions = 1
    let network = try RetinaNet(configuration.architecture, classCount: 1, seed: 0)
    for (path, tensor) in weights.match(expected: network.expectedShapes).tensors { try network.parameters.set(path, to: tensor) }
    let program = try network.program(images: 1, height: 64, width: 96, training: true)
    try program.forward()
    #expect(program.levels(of: network.logits).prefix(3) == [[8, 12], [4, 6], [2, 3]])
    configuration.detector.pyramid.minLevel = 2
    configuration.detector.anchors.sizes.append(1024)
    #expect(throws: DetectorError.self) { try RetinaNet(configuration.architecture, classCount: 1, seed: 0) }
  }

  @Test func theFirstResNet50GoesBackUnderItsNames() throws {
    for name in ["keras-1-weights.h5", Self.first] {
      let weights = try WeightsFile.read(Golden.file(name, in: directory))
      #expect(try WeightsFile.differences(of: weights, from: .keras).isEmpty)
      try WeightsFile.write(weights, to: directory.file("back"), as: .keras)
      let back = try WeightsFile.read(directory.file("back"))
      #expect(back.tensors == weights.tensors && back.metadata == weights.metadata)
      let differences = try WeightsFile.differences(of: weights, from: .torchvision)
      #expect(Set(["detector.backbone.epsilon", "detector.backbone.bottleneckStride"]).isSubset(of: differences.map(\.key)))
    }
  }

  // MARK: Kernels of Theano's

  /// [height, width, in, out] to [out, in, height, width], positions last to first where it says so.
  private static func theano(_ tensor: FileCopy.Values, ordered: Bool, flipped: Bool) -> FileCopy.Values {
    guard tensor.shape.count == 4 else { return tensor }
    let (h, w, i, o) = (tensor.shape[0], tensor.shape[1], tensor.shape[2], tensor.shape[3])
    var values = tensor.values
    for y in 0..<h {
      for x in 0..<w {
        for input in 0..<i {
          for output in 0..<o {
            let value = tensor.values[((y * w + x) * i + input) * o + output]
            let (row, column) = flipped ? (h - 1 - y, w - 1 - x) : (y, x)
            values[ordered ? ((output * i + input) * h + row) * w + column : ((row * w + column) * i + input) * o + output] = value
          }
        }
      }
    }
    return (ordered ? [o, i, h, w] : tensor.shape, values)
  }

  @Test func kernelsInTheanosOrderAreRead() throws {
    let golden = try Golden.file("keras-1-weights.h5", in: directory)
    let tensors = try WeightsFile.read(golden).tensors
    var copy = FileCopy()
    copy.values = { Self.theano($1, ordered: true, flipped: true) }
    try copy.write(golden, to: directory.file("theano"))
    let read = try WeightsFile.read(directory.file("theano"))
    #expect(read.tensors == tensors)
    #expect(read.assumptions.contains { $0.contains("turned by 180 degrees") })
    // Keras 2 says what it ran on and writes one order.
    copy.values = { Self.theano($1, ordered: false, flipped: true) }
    copy.extraAttributes = ["backend": .string("theano")]
    try copy.write(golden, to: directory.file("flipped"))
    #expect(try WeightsFile.read(directory.file("flipped")).tensors == tensors)
  }

  // MARK: What a configuration may say

  @Test(arguments: [
    (first, "\"epsilon\": 0.001", "\"epsilon\": 1e-05", true, "its epsilon is"),
    (first, "\"activation\": \"relu\"", "\"activation\": \"swish\"", true, "Activation \"activation"),
    (first, "\"dilation_rate\": [1, 1]", "\"dilation_rate\": [2, 2]", false, "its dilation is [2, 2]"),
    (first, "\"groups\": 1", "\"groups\": 2", false, "it has 2 groups"),
    (first, "\"padding\": [[3, 3], [3, 3]]", "\"padding\": [[2, 3], [2, 3]]", true, "Conv2D \"conv1\": it pads neither by 3 zeros"),
    (first, "\"pool_size\": [3, 3]", "\"pool_size\": [2, 2]", true, "its window is [2, 2]"),
    (first, "\"class_name\": \"Add\"", "\"class_name\": \"Multiply\"", true, "Multiply \"add"),
    (first, "\"epsilon\": 0.001", "\"epsilon\": -1", false, "its epsilon is -1"),
    (first, "{\"class_name\"", "[\"class_name\"", true, "the model's configuration is no JSON"),
    ("keras-retinanet-anchors.h5", "\"scales\": [1.0, 1.5]", "\"scales\": [1.0, 1.25, 1.5]", false, "4 anchors a location, where keras-retinanet has 6"),
    ("keras-retinanet-anchors.h5", "\"scales\": [1.0, 1.5]", "\"scales\": [1.0, 1.25]", true, "ratios or scales differ from level to level"),
    ("keras-retinanet-anchors.h5", "\"stride\": 64", "\"stride\": 60", true, "anchors: strides"),
    ("keras-retinanet-anchors.h5", "\"mean\": [0, 0, 0, 0]", "\"mean\": [0, 0, 1, 0]", true, "only a mean of 0 is known"),
    ("keras-retinanet-anchors.h5", "\"nms\": true", "\"nms\": false", true, "filtered without suppression"),
  ]) func whatWouldComputeSomethingElseIsRefused(golden: String, old: String, new: String, first: Bool, expected: String) throws {
    let path = try restated(golden, [(old, new)], first: first)
    let error = try thrown(ConventionError.self) { try WeightsFile.read(path) }
    #expect(error.description.hasPrefix("\(path): ") && error.description.contains(expected), "\(error)")
  }

  @Test func settingsAreReadFromTheConfiguration() throws {
    let backbone = try Self.configuration(
      WeightsFile.read(restated(Self.first, [("\"epsilon\": 0.001", "\"epsilon\": 2e-05")]))).detector.backbone
    #expect(backbone.epsilon == 2e-5)
    let path = try restated(
      "keras-retinanet-anchors.h5",
      [("\"ratios\": [0.25, 1.0]", "\"ratios\": [1.0, 3.0]"), ("\"size\": 64", "\"size\": 72"), ("\"std\": [0.25", "\"std\": [0.5"),
       ("\"nms_threshold\": 0.5", "\"nms_threshold\": 0.4"), ("\"score_threshold\": 0.05", "\"score_threshold\": 0.2"),
       ("\"max_detections\": 300", "\"max_detections\": 7")])
    let weights = try WeightsFile.read(path)
    let configuration = try Self.configuration(weights)
    let detector = configuration.detector
    #expect(detector.anchors.aspectRatios == [1, 3] && detector.anchors.scales == [1, 1.5])
    #expect(detector.anchors.sizes == [32, 72, 128, 256, 512] && detector.boxWeights == [2, 4, 4, 4])
    #expect(detector.postProcess.nms == 0.4 && detector.postProcess.maximumDetections == 7)
    #expect(configuration.thresholder == StrategyReference("fixed", parameters: ["score": .double(0.2)]))
    #expect(weights.assumptions.isEmpty)
    #expect(try WeightsFile.differences(of: weights, from: .keras).map(\.key).contains("detector.anchors.aspectRatios"))
  }

  @Test func withoutAConfigurationAnchorsAreAssumed() throws {
    var copy = FileCopy()
    copy.attribute = { $1 == "model_config" ? nil : $2 }
    try copy.write(try Golden.file("keras-retinanet.h5", in: directory), to: directory.file("weights alone"))
    let assumptions = try WeightsFile.read(directory.file("weights alone")).assumptions
    #expect(assumptions.contains { $0.contains("epsilon 1e-05") } && assumptions.contains { $0.contains("anchors") }, "\(assumptions)")
    try copy.write(try Golden.file("keras-retinanet-anchors.h5", in: directory), to: directory.file("other anchors"))
    let error = try thrown(ConventionError.self) { try WeightsFile.read(directory.file("other anchors")) }
    #expect(error.description.contains("4 anchors a location, where keras-retinanet has 9: their sizes are not in the file"), "\(error)")
  }

  /// A detector on Keras' own ResNet-50 has its biases, and so its epsilon.
  @Test(arguments: ["scale_conv1", "bn_scale2a_branch2a"]) func layersBetweenAreRefused(layer: String) throws {
    var copy = FileCopy()
    let golden = try Golden.file("keras-1-weights.h5", in: directory)
    let layers = try HDF5File(reading: golden).root.strings("layer_names")
    copy.attribute = { $1 == "layer_names" ? .strings(layers + [layer]) : $2 }
    copy.extraGroups[layer] = ["weight_names": .strings(["\(layer)_gamma"])]
    copy.extra["\(layer)/\(layer)_gamma"] = ([2], [1, 1])
    try copy.write(golden, to: directory.file("scaled"))
    let error = try thrown(ConventionError.self) { try WeightsFile.read(directory.file("scaled")) }
    #expect(error.description.contains("it has \"\(layer)/gamma\", which this package does not compute"), "\(error)")
  }

  // MARK: Numbered layouts

  /// On Windows, Keras joined the names of groups with its system's separator.
  @Test(arguments: ["keras-2.15-nested.weights.h5", "keras3.weights.h5"]) func backslashesSeparateGroups(name: String) throws {
    let golden = try Golden.file(name, in: directory)
    let read = try WeightsFile.read(golden)
    var copy = FileCopy()
    copy.name = { path in
      let parts = path.split(separator: "/")
      guard let end = parts.lastIndex(of: "vars") else { return nil }
      return parts[...end].joined(separator: "\\") + (end + 1 < parts.count ? "/\(parts[end + 1])" : "")
    }
    try copy.write(golden, to: directory.file("windows"))
    #expect(try HDF5File(reading: directory.file("windows")).root.names.contains { $0.hasPrefix("layers\\") })
    let again = try WeightsFile.read(directory.file("windows"))
    #expect(again.tensors == read.tensors && again.leftovers == read.leftovers)
  }

  /// Layers told apart by order alone must have the shapes that the order implies.
  @Test func anotherOrderOfLayersIsNotTaken() throws {
    var copy = FileCopy()
    let folders = ["conv2d_5", "conv2d_17"]
    copy.name = { path in
      var parts = path.split(separator: "/").map(String.init)
      if let index = parts.firstIndex(where: folders.contains), let position = folders.firstIndex(of: parts[index]) {
        parts[index] = folders[1 - position]
      }
      return parts.joined(separator: "/")
    }
    try copy.write(try Golden.file("keras-2.15-nested.weights.h5", in: directory), to: directory.file("shuffled"))
    #expect(throws: ConventionError.self) { try WeightsFile.read(directory.file("shuffled")) }
  }
}
