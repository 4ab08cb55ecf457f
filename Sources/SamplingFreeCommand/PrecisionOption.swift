import ArgumentParser
import Foundation
import SamplingFree

extension Precision: ExpressibleByArgument {}

/// What the network computes with, where a command says so.
struct PrecisionOption: ParsableArguments {
  @Option(
    help: "fp32, or bf16 on machines with AVX512_BF16 or AMX (elsewhere fp32 all the same); as the configuration says unless given.")
  var precision: Precision?

  /// Says on standard error where the machine lacks what was asked for.
  func apply(to network: RetinaNet) {
    if let precision { network.precision = precision }
    if let note = network.precision.note { printError(note) }
  }
}
