import Foundation
import Testing

import Detectors
import NeuralNetwork
import TestSupport

/// Whole networks against torchvision's own models in double precision (Goldens/make_torchvision.py), by their
/// parameters' names.
@Suite struct TorchvisionTests {
  struct Golden: Decodable {
    let parameters: Int
    let logits, deltas: TensorSample
  }

  static func golden(_ name: String) throws -> Golden {
    let url = try #require(Bundle.module.url(forResource: "Goldens/torchvision", withExtension: "json"))
    return try #require(JSONDecoder().decode([String: Golden].self, from: Data(contentsOf: url))[name])
  }

  static func check(_ name: String, _ architecture: RetinaNetArchitecture) throws {
    let golden = try golden(name)
    let network = try RetinaNet(architecture, classCount: 7, seed: 0)
    #expect(network.parameters.entries.count == golden.parameters)
    for entry in network.parameters.entries {
      let (path, shape) = (entry.declaration.path, entry.declaration.shape)
      try network.parameters.set(path, to: Tensor(shape: shape, values: HashedValues.parameter(path, shape: shape)))
    }
    let program = try network.program(images: 2, height: 64, width: 96, training: false)
    let pixels = program.inputValues
    _ = pixels.update(fromContentsOf: HashedValues.pixels("pixels", count: pixels.count))
    try program.forward()
    let anchors = golden.logits.shape[1]
    #expect(
      network.anchorGenerator.anchors(for: network.levels(height: 64, width: 96)).count == anchors)
    #expect(golden.logits.error(of: program.values(of: network.logits), name: "logits") < 2e-4)
    #expect(golden.deltas.error(of: program.values(of: network.deltas), name: "deltas") < 2e-4)
  }

  static let sizes = [[Float]](repeating: [32, 40, 51], count: 5)

  /// retinanet_resnet50_fpn: frozen batch normalisation, levels 6 and 7 from P5.
  @Test func resNet50() throws {
    try Self.check(
      "resnet50",
      RetinaNetArchitecture(
        backbone: ResNetArchitecture(), pyramid: PyramidArchitecture(), head: HeadArchitecture(), anchorSizes: Self.sizes,
        aspectRatios: [0.5, 1, 2]))
  }

  /// retinanet_resnet50_fpn_v2: batch normalisation in inference, levels 6 and 7 from C5, group normalisation in heads.
  @Test func resNet50Version2() throws {
    try Self.check(
      "resnet50V2",
      RetinaNetArchitecture(
        backbone: ResNetArchitecture(normalization: .batch), pyramid: PyramidArchitecture(extraLevelSource: .c5),
        head: HeadArchitecture(normalization: .group(32)), anchorSizes: Self.sizes, aspectRatios: [0.5, 1, 2]))
  }
}
