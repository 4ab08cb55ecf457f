import DetectionCore
import Foundation

/// Everything that makes an experiment: data, detector, strategies, training. Its YAML text is saved with the weights.
public struct ExperimentConfiguration: Hashable, Sendable {
  /// Of everything random: initial weights, scenes, order of samples, flips.
  public var seed = 0
  public var data = DataConfiguration()
  public var input = InputConfiguration()
  public var detector = DetectorConfiguration()
  public var sampler = StrategyReference("none")
  public var lossScaler = StrategyReference("guided")
  public var bias = StrategyReference("optimal")
  public var thresholder = StrategyReference("class-adaptive")
  public var loss = LossConfiguration()
  public var train = TrainConfiguration()
  public enum Precision: String, Hashable, Sendable, CaseIterable { case fp32, bf16 }
  /// What the network computes with; parameters are fp32 in any case.
  public var precision = Precision.fp32

  /// Paths of dynamic libraries with strategies. A list replaces the base's.
  public var plugins: [String] = []

  public init() {}

  /// Reads a file with the files it is based on. Plugins are named relative to the file that names them, in overrides
  /// to the current folder, and are not loaded here.
  /// - Parameters:
  ///   - overrides: `key.path=value`, the value being YAML, applied in order.
  ///   - layers: applied in order after the overrides.
  /// - Throws: `ConfigurationError`, naming file, line and key, or the override or layer.
  public static func load(
    _ path: String, overrides: [String] = [], layers: [ConfigurationLayer] = []
  ) throws -> ExperimentConfiguration {
    let tree = try ConfigurationTree.load(path)
    var configuration = try ExperimentConfiguration(tree, overrides: overrides, layers: layers)
    // Defaults that nobody asked for are no experiment.
    if tree.isEmpty, configuration.data == DataConfiguration() {
      throw ConfigurationError("\(path): is empty; it names nothing to train on, such as data: { name: digit-scenes }")
    }
    configuration.plugins = configuration.plugins.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    return configuration
  }

  /// - Parameter name: what errors call the text.
  /// - Throws: `ConfigurationError`.
  public init(yaml: String, name: String, overrides: [String] = []) throws {
    try self.init(ConfigurationTree.parseMapping(yaml, name: name), overrides: overrides)
  }

  private init(
    _ tree: ConfigurationTree.Entry, overrides: [String], layers: [ConfigurationLayer] = []
  ) throws {
    let overridden = try overrides.reduce(tree) { try ConfigurationTree.apply($1, to: $0) }
    let whole = try layers.reduce(overridden) { try ConfigurationTree.apply($1, to: $0) }
    var reader = try SectionReader(whole)
    seed = try reader.int("seed", seed, in: 0...(.max))
    data = try reader.section("data") { try DataConfiguration(&$0) }
    input = try reader.section("input") { try InputConfiguration(&$0) }
    detector = try reader.section("detector") { try DetectorConfiguration(&$0) }
    sampler = try reader.strategy("sampler", sampler)
    lossScaler = try reader.strategy("lossScaler", lossScaler)
    bias = try reader.strategy("bias", bias)
    thresholder = try reader.strategy("thresholder", thresholder)
    loss = try reader.section("loss") { try LossConfiguration(&$0) }
    train = try reader.section("train") { try TrainConfiguration(&$0) }
    precision = try reader.choice("precision", precision)
    plugins = try reader.strings("plugins", plugins)
    try reader.finish()
  }

  /// Canonical and complete: parses back to the same configuration.
  public var yaml: String {
    var emitter = Emitter()
    emitter.value("seed", seed)
    data.emit(&emitter)
    input.emit(&emitter)
    detector.emit(&emitter)
    emitter.strategy("sampler", sampler)
    emitter.strategy("lossScaler", lossScaler)
    emitter.strategy("bias", bias)
    emitter.strategy("thresholder", thresholder)
    loss.emit(&emitter)
    train.emit(&emitter)
    if precision != .fp32 { emitter.value("precision", precision.rawValue) }
    if !plugins.isEmpty { emitter.texts("plugins", plugins) }
    return emitter.text
  }

  /// As weights carry it: of plugins the names only. They tell what is needed; what is loaded is the user's to say.
  public var withoutPluginPaths: ExperimentConfiguration {
    var copy = self
    copy.plugins = plugins.map { URL(fileURLWithPath: $0).lastPathComponent }
    return copy
  }
}
