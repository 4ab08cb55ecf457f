import ArgumentParser
import Foundation
import SamplingFree

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "COCO average precision of weights on the validation set of a configuration.",
    discussion: """
      Weights of another framework are evaluated with the detector, the input and the threshold that go with them; classes
      are matched by name.
      """)

  @OptionGroup var options: ConfigurationOptions
  @Argument(help: "Weights file: this package's, keras-retinanet's or torchvision's.")
  var weights: String
  @OptionGroup var classes: ClassesOption
  @OptionGroup var precision: PrecisionOption
  @Flag(help: "Print all numbers as JSON.")
  var json = false

  func run() throws {
    let path = self.weights
    let weights = try WeightsFile.read(path, classNames: classes.names())
    weights.reportAssumptions(of: path)
    let configuration = try options.load().adopting(weights.metadata)
    let runner = try DetectionRunner(
      weights: weights, configuration: configuration,
      registry: SamplingFreeCommand.registry(plugins: configuration.plugins))
    precision.apply(to: runner.network)
    let result = try runner.evaluate(configuration.dataset(.validation) { printError($0) }, batchSize: configuration.train.batchSize)
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try printOut(String(decoding: encoder.encode(result), as: UTF8.self))
    } else {
      try printOut(table(result))
    }
  }
}
