import ArgumentParser
import SamplingFree

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Show what an HDF5 weights file holds and which convention it follows.")

  @Argument(help: "HDF5 file.")
  var weights: String

  func run() throws { try printOut(WeightsFile.summary(weights)) }
}

struct ListStrategies: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "strategies", abstract: "List all strategies with their parameters and sources.")

  @OptionGroup var plugins: PluginOptions

  func run() throws {
    let registry = try SamplingFreeCommand.registry(plugins: plugins.paths)
    for kind in StrategyKind.allCases {
      try printOut("\(kind.rawValue):")
      for strategy in registry.descriptions(of: kind) {
        try printOut("  \(strategy.name)  \(strategy.summary)")
        try printOut("    source: \(strategy.source)")
        for parameter in strategy.parameters {
          try printOut("    \(parameter.name) = \(parameter.defaultValue): \(parameter.summary)")
        }
      }
    }
  }
}
