import ArgumentParser
import SamplingFree

/// What weights of any convention compute, for comparison with the framework that they come from (`scripts/parity`).
struct Forward: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run weights on prepared pixels: features of a backbone, logits and deltas of a detector.")

  @Argument(help: "Weights file of any known convention.") var weights: String
  @Argument(help: "HDF5 file with a dataset \"pixels\": [images, 3, height, width], RGB, normalised.") var input: String
  @Argument(help: "HDF5 file to write.") var output: String

  func run() throws {
    let weights = try WeightsFile.read(weights)
    let pixels = try HDF5File(reading: input).root.dataset("pixels")
    let values = try pixels.read(as: Float.self, rank: 4)
    let configuration = try ExperimentConfiguration(yaml: weights.metadata.configuration, name: "the weights' configuration")
    let (images, height, width) = (pixels.shape[0], pixels.shape[2], pixels.shape[3])
    let program: Program
    let outputs: [(name: String, output: Graph.Output)]
    if weights.metadata.detector == WeightsMetadata.backbone {
      let backbone = try Backbone(configuration.architecture.backbone, seed: nil)
      try load(weights, into: backbone.parameters)
      program = try backbone.program(images: images, height: height, width: width)
      outputs = backbone.stages.enumerated().map { ("C\($0.offset + 2)", $0.element) }
    } else {
      let network = try RetinaNet(configuration.architecture, classCount: weights.metadata.classNames.count, seed: nil)
      try load(weights, into: network.parameters)
      program = try network.program(images: images, height: height, width: width, training: false)
      outputs = [("logits", network.logits), ("deltas", network.deltas)]
    }
    _ = program.inputValues.update(fromContentsOf: values)
    try program.forward()
    try HDF5File.writeAtomically(to: output) { file in
      for (name, output) in outputs {
        try file.root.createDataset(name, shape: program.shape(of: output), values: Array(program.values(of: output)))
      }
    }
  }

  private func load(_ weights: ModelWeights, into parameters: Parameters) throws {
    let match = weights.match(expected: parameters.shapes)
    guard match.initialized.isEmpty else { throw DetectorError("the weights do not fit: \(match.summary())") }
    for (path, tensor) in match.tensors { try parameters.set(path, to: tensor) }
  }
}
