import ArgumentParser
import SamplingFree

/// The command `sampling-free`. A package with strategies of its own calls `run(registry:)` with a registry that holds
/// them, and has the same command with them in it.
public enum SamplingFreeCommand {
  @TaskLocal static var registry = StrategyRegistry.standard

  /// Parses the command line and runs. Exits with status 1 on an error, 64 on wrong usage.
  public static func run(registry: StrategyRegistry = .standard) {
    $registry.withValue(registry) { Root.main() }
  }
}

struct Root: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sampling-free",
    abstract: "Train, evaluate and use object detectors without sampling heuristics.",
    subcommands: [Train.self, Evaluate.self, Detect.self, ListStrategies.self, Inspect.self])
}

/// A configuration file with overrides.
struct ConfigurationOptions: ParsableArguments {
  @Argument(help: "Configuration file (YAML).")
  var config: String

  @Option(name: .customLong("set"), help: ArgumentHelp("Override a value: train.steps=100, sampler=focal, ...", valueName: "key=value"))
  var overrides: [String] = []

  func load() throws -> ExperimentConfiguration { try ExperimentConfiguration.load(config, overrides: overrides) }
}
