import ArgumentParser
import Foundation
import SamplingFree

/// The command `sampling-free`. A package with strategies of its own calls `run(registry:)` with a registry that holds
/// them, and has the same command with them in it.
public enum SamplingFreeCommand {
  @TaskLocal static var registry = StrategyRegistry.standard

  /// Parses the command line and runs. Exits with status 1 on an error, 2 on wrong usage, 128 and the signal's number where a
  /// signal ended training.
  public static func run(registry: StrategyRegistry = .standard) {
    $registry.withValue(registry) {
      StandardStreams.claim()
      do {
        var command = try Root.parseAsRoot()
        try command.run()
      } catch where Root.exitCode(for: error) == .validationFailure {
        printError(Root.fullMessage(for: error))
        exit(2)
      } catch where Root.exitCode(for: error) == .success {
        // Help: what was asked for, so its reader counts.
        do { try printOut(Root.fullMessage(for: error)) } catch { Root.exit(withError: error) }
      } catch {
        Root.exit(withError: error)
      }
    }
  }
}

struct Root: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sampling-free",
    abstract: "Train, evaluate and use object detectors without sampling heuristics.",
    subcommands: [Train.self, Evaluate.self, Compare.self, Convert.self, Detect.self, ListStrategies.self, Inspect.self])
}

/// A configuration file with overrides.
struct ConfigurationOptions: ParsableArguments {
  @Argument(help: "Configuration file (YAML).")
  var config: String

  @Option(name: .customLong("set"), help: ArgumentHelp("Override a value: train.steps=100, sampler=focal, ...", valueName: "key=value"))
  var overrides: [String] = []

  @OptionGroup var plugins: PluginOptions

  /// With the plugins of the command line after those of the file.
  func load() throws -> ExperimentConfiguration {
    var configuration = try ExperimentConfiguration.load(config, overrides: overrides)
    configuration.plugins += plugins.absolutePaths
    return configuration
  }
}

struct PluginOptions: ParsableArguments {
  @Option(
    name: .customLong("plugin"),
    help: ArgumentHelp(
      "Load strategies from a dynamic library. Its code runs with your rights.", valueName: "libName.so"))
  var paths: [String] = []

  var absolutePaths: [String] { paths.map { URL(fileURLWithPath: $0).standardizedFileURL.path } }
}

extension SamplingFreeCommand {
  /// The strategies of this program and of plugins, whose code runs from here on.
  static func registry(plugins: [String]) throws -> StrategyRegistry {
    var registry = registry
    try registry.load(plugins: plugins)
    return registry
  }
}
