import Foundation
import HDF5
import NeuralNetwork
import SamplingFree
import TestSupport
import Testing
import Weights

/// What real Keras files have and small ones do not: lists split over attributes, other types, damage in one layer.
@Suite struct KerasLayoutTests {
  let directory = try! TemporaryDirectory()

  /// A narrow ResNet-18 under keras-resnet's names, each layer's group changed on the way.
  private func write(
    to path: String, layerLists: [String: HDF5Value]? = nil,
    _ change: (_ layer: String, HDF5NewGroup, [(name: String, tensor: Tensor)]) throws -> Void
  ) throws -> ModelWeights {
    var configuration = ExperimentConfiguration()
    configuration.detector = Convention.kerasRetinaNet.detector
    configuration.detector.backbone.depth = 18
    configuration.detector.backbone.width = 2
    let backbone = try Backbone(configuration.architecture.backbone, seed: 9)
    let tensors = try backbone.parameters.shapes.keys.map { ($0, try backbone.parameters.tensor($0)) }
    let weights = ModelWeights(
      tensors: Dictionary(uniqueKeysWithValues: tensors),
      metadata: WeightsMetadata(
        detector: WeightsMetadata.backbone, configuration: configuration.yaml, classNames: [],
        convention: Convention.kerasRetinaNet.name))
    try WeightsFile.write(weights, to: directory.file("plain"), as: .keras)
    let plain = try HDF5File(reading: directory.file("plain")).root
    try HDF5File.writeAtomically(to: path, compatible: true) { file in
      let layers = try plain.strings("layer_names")
      for (name, value) in layerLists ?? ["layer_names": .strings(layers)] { try file.root.setAttribute(name, value) }
      for layer in layers {
        let group = try file.root.createGroup(layer)
        let names = try plain.group(layer).strings("weight_names")
        try group.setAttribute("weight_names", .strings(names))
        try change(layer, group, names.map { name in
          let dataset = try plain.group(layer).dataset(name)
          return (name, Tensor(shape: dataset.shape, values: try dataset.read()))
        })
      }
    }
    return weights
  }

  private func copy(_ layer: String, _ group: HDF5NewGroup, _ parameters: [(name: String, tensor: Tensor)]) throws {
    for (name, tensor) in parameters { try group.createDataset(name, shape: tensor.shape, values: tensor.values) }
  }

  @Test func listsSplitOverAttributesAreJoined() throws {
    let weights = try write(to: directory.file("plain copy"), copy)
    let layers = try HDF5File(reading: directory.file("plain")).root.strings("layer_names")
    let parts = [layers[..<7], layers[7..<8], layers[8...]].map { HDF5Value.strings(Array($0)) }
    _ = try write(
      to: directory.file("split"),
      layerLists: Dictionary(uniqueKeysWithValues: parts.enumerated().map { ("layer_names\($0.offset)", $0.element) }), copy)
    for name in ["plain copy", "split"] {
      let read = try WeightsFile.read(directory.file(name))
      #expect(read.tensors == weights.tensors && read.metadata.convention == Convention.kerasRetinaNet.name)
    }
  }

  @Test func doublesBecomeSingles() throws {
    let weights = try write(to: directory.file("doubles")) { _, group, parameters in
      for (name, tensor) in parameters {
        try group.createDataset(name, shape: tensor.shape, values: tensor.values.map { Double($0) }, storage: .checked(deflate: 1))
      }
    }
    #expect(try WeightsFile.read(directory.file("doubles")).tensors == weights.tensors)
  }

  @Test func aMissingDatasetIsNamed() throws {
    _ = try write(to: directory.file("missing")) { layer, group, parameters in
      try copy(layer, group, layer == "res3a_branch2a" ? [] : parameters)
    }
    let error = try thrown(HDF5Error.self) { try WeightsFile.read(directory.file("missing")) }
    #expect("\(error)".contains("res3a_branch2a"), "\(error)")
  }

  @Test func anotherRankIsRefusedByName() throws {
    _ = try write(to: directory.file("flat")) { layer, group, parameters in
      let flat = parameters.map { (name: $0.name, tensor: Tensor(shape: [$0.tensor.count], values: $0.tensor.values)) }
      try copy(layer, group, layer == "res3a_branch2a" ? flat : parameters)
    }
    let error = try thrown(ConventionError.self) { try WeightsFile.read(directory.file("flat")) }
    #expect("\(error)".contains("res3a_branch2a/kernel has the shape [72] where ResNet-18 of 2 channels has [4, 2, 3, 3]"), "\(error)")
  }
}
