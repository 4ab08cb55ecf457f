import ArgumentParser
import Foundation
import SamplingFree

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write weights in the layout of another framework.",
    discussion: """
      --to keras writes keras.applications' names for a backbone and keras-retinanet's for a detector: Keras 3's layout
      where the name ends in .weights.h5 (backbones), else the legacy one. --to torchvision writes a dataset a key of the
      state dictionary.
      """)

  @Argument(help: "Weights file of any known convention.")
  var input: String
  @Argument(help: "File to write.")
  var output: String
  @Option(help: "native, torchvision or keras.")
  var to: WeightsFile.Target
  @Flag(help: "Write the parameters even where the other framework's models would compute something else with them.")
  var ignoreDifferences = false

  func run() throws {
    let weights = try WeightsFile.read(input)
    let differences = try WeightsFile.differences(of: weights, from: to)
    if !differences.isEmpty {
      let list = differences.map { "  \($0.key): \($0.found) here, \($0.expected) there" }.joined(separator: "\n")
      guard ignoreDifferences else {
        throw ConventionError(
          "\(input) follows the convention \(weights.metadata.convention); models of \(to.rawValue) would compute something else (--ignore-differences writes them all the same):\n\(list)")
      }
      printError("models of \(to.rawValue) differ:\n\(list)")
    }
    try WeightsFile.write(weights, to: output, as: to)
    try printOut("\(output): \(weights.tensors.count) parameters, from \(weights.metadata.convention) to \(to.rawValue)")
    for assumption in weights.assumptions { try printOut("  assumed: \(assumption)") }
    for name in weights.leftovers { try printOut("  left out: \(name)") }
  }
}

extension ModelWeights {
  /// Tells on standard error what their file does not say.
  func reportAssumptions(of path: String) {
    for assumption in assumptions { printError("\(path): assumed: \(assumption)") }
  }
}

extension WeightsFile.Target: ExpressibleByArgument {}

/// Names of classes in a file, one a line.
struct ClassesOption: ParsableArguments {
  @Option(help: ArgumentHelp("Names of the classes, one a line, in the order of the outputs.", valueName: "file"))
  var classes: String?

  /// nil where none were given.
  func names() throws -> [String]? {
    guard let classes else { return nil }
    guard let text = try? String(contentsOfFile: classes, encoding: .utf8) else {
      throw ValidationError("--classes: cannot read \(classes) as text")
    }
    let names = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    if names.isEmpty { throw ValidationError("--classes: \(classes) names no classes") }
    return names
  }
}
