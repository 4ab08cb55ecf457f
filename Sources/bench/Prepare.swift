import ArgumentParser
import SamplingFree

/// Writes the weights that both sides load.
struct Prepare: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Write RetinaNet ResNet-50-FPN with random weights.")

  @OptionGroup var batch: BatchOptions
  @Argument(help: "Weights file to write.") var path: String

  func run() throws {
    let configuration = ExperimentConfiguration()
    let network = try batch.network()
    var tensors: [String: Tensor] = [:]
    for entry in network.parameters.entries {
      let path = entry.declaration.path
      var tensor = try network.parameters.tensor(path)
      // Residual branches start small, so that activations do not grow with every block.
      if path.hasSuffix("norm3/gamma") { tensor = Tensor(shape: tensor.shape, repeating: 0.25) }
      tensors[path] = tensor
    }
    let names = (0..<batch.classes).map { "class \($0)" }
    let metadata = WeightsMetadata(
      detector: configuration.detector.name.rawValue, configuration: configuration.yaml, classNames: names,
      statistics: TrainingStatistics(
        anchorCount: 1_000_000, foregroundCounts: Array(repeating: 10, count: batch.classes), imageCount: 10))
    try WeightsFile.write(ModelWeights(tensors: tensors, metadata: metadata), to: path)
  }
}
