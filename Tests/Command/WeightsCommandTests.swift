import Foundation
import SamplingFree
import TestSupport
import Testing

/// Weights from strangers.
@Suite struct WeightsCommandTests {
  /// Paths in the configuration that lies with weights are nobody's who runs the command.
  @Test func weightsOpenNoDataSet() throws {
    let run = try TrainedRun.get()
    let directory = try TemporaryDirectory()
    var weights = try WeightsFile.read(run.weights)
    var configuration = try ExperimentConfiguration(yaml: weights.metadata.configuration, name: "weights")
    configuration.data = try ExperimentConfiguration(
      yaml: "data: { name: coco, trainAnnotations: /etc/passwd, trainImages: /etc, validationAnnotations: /etc/passwd, validationImages: /etc }",
      name: "data").data
    configuration.train.initialWeights = "/etc/shadow"
    weights.metadata.configuration = configuration.yaml
    try WeightsFile.write(weights, to: directory.file("w.h5"))
    let result = try Command.run("detect", "w.h5", "--validation", "1", in: directory)
    #expect(result.status == 1 && result.messages.contains("a weights file opens no others"), "\(result)")
    #expect(!result.messages.contains("passwd"))
    // The weights themselves are sound.
    try Image(width: 64, height: 64).writePNG(to: directory.file("image.png"))
    #expect(try Command.run("detect", "w.h5", "image.png", in: directory).status == 0)
  }

  @Test func whatIsAssumedIsSaid() throws {
    let directory = try TemporaryDirectory()
    var configuration = ExperimentConfiguration()
    configuration.detector = Convention.kerasRetinaNet.detector
    (configuration.detector.backbone.depth, configuration.detector.backbone.width) = (18, 2)
    let backbone = try Backbone(configuration.architecture.backbone, seed: 1)
    let tensors = try backbone.parameters.shapes.keys.map { ($0, try backbone.parameters.tensor($0)) }
    let weights = ModelWeights(
      tensors: Dictionary(uniqueKeysWithValues: tensors),
      metadata: WeightsMetadata(
        detector: WeightsMetadata.backbone, configuration: configuration.yaml, classNames: [], convention: Convention.kerasRetinaNet.name))
    try WeightsFile.write(weights, to: directory.file("keras.h5"), as: .keras)
    for arguments in [["inspect", "keras.h5"], ["convert", "keras.h5", "native.h5", "--to", "native"]] {
      let result = try Command.run(arguments, in: directory)
      #expect(result.status == 0 && result.output.contains("assumed: epsilon 1e-05"), "\(result)")
    }
  }
}
