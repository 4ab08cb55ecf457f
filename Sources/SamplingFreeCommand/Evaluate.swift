import ArgumentParser
import Foundation
import SamplingFree

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "COCO average precision of weights on the validation set of a configuration.")

  @OptionGroup var options: ConfigurationOptions
  @Argument(help: "Weights file (HDF5).")
  var weights: String
  @Flag(help: "Print all numbers as JSON.")
  var json = false

  func run() throws {
    let configuration = try options.load()
    let runner = try DetectionRunner(
      weights: WeightsFile.read(weights), configuration: configuration,
      registry: SamplingFreeCommand.registry(plugins: configuration.plugins))
    let result = try runner.evaluate(configuration.dataset(.validation), batchSize: configuration.train.batchSize)
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      print(String(decoding: try encoder.encode(result), as: UTF8.self))
    } else {
      print(table(result))
    }
  }
}
