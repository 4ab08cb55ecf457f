import ArgumentParser
import SamplingFree

/// Reading a weights file into tensors.
struct Load: ParsableCommand {
  @Argument(help: "Weights file of any known convention.") var weights: String

  func run() throws {
    try Worker.serve(check: {
      let read = try WeightsFile.read(weights)
      return ["sums": [Double(read.parameterCount), read.tensors.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + Double($1) } }]]
    }) { _ = try WeightsFile.read(weights) }
  }
}
