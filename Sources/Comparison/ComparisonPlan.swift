import Configuration

/// The runs of a comparison: every combination of the axes' choices, with every seed.
public struct ComparisonPlan: Hashable, Sendable {
  public struct Variant: Hashable, Sendable {
    /// One an axis.
    public var labels: [String]
    /// Its folder's name.
    public var folder: String
    public var configuration: ExperimentConfiguration
  }

  public struct Run: Hashable, Sendable {
    /// Index of the variant.
    public var variant: Int
    public var seed: Int
    public var configuration: ExperimentConfiguration
  }

  /// What the comparison is based on, as the report names it.
  public let source: String
  /// The axes' keys.
  public let keys: [String]
  public let variants: [Variant]
  public let seeds: [Int]

  /// - Parameters:
  ///   - path: the configuration that all variants share.
  ///   - overrides: `key.path=value`, for all variants.
  ///   - seeds: each in 0... and once.
  /// - Throws: `ConfigurationError`, also where two variants come to the same configuration.
  public init(
    path: String, overrides: [String] = [], plugins: [String] = [], axes: [ComparisonAxis], seeds: [Int]
  ) throws {
    guard !axes.isEmpty else { throw ConfigurationError("a comparison varies something: give --vary or --variant") }
    guard !seeds.isEmpty, Set(seeds).count == seeds.count, seeds.allSatisfy({ $0 >= 0 }) else {
      throw ConfigurationError("--seeds must name different whole numbers from 0 on")
    }
    for (index, axis) in axes.enumerated() where axes[..<index].contains(where: { $0.key == axis.key }) {
      throw ConfigurationError("--vary \(axis.key): the key is varied twice")
    }
    source = path
    keys = axes.map(\.key)
    self.seeds = seeds
    let combinations = axes.reduce([[]]) { combinations, axis in combinations.flatMap { one in axis.choices.map { one + [$0] } } }
    var variants: [Variant] = []
    for choices in combinations {
      var configuration = try ExperimentConfiguration.load(path, overrides: overrides, layers: choices.map(\.layer))
      configuration.plugins += plugins
      let labels = choices.map(\.label)
      if let twin = variants.first(where: { $0.configuration == configuration }) {
        throw ConfigurationError(
          "\(Self.name(twin.labels, keys)) and \(Self.name(labels, keys)) come to the same configuration: what one option sets, another overrides")
      }
      variants.append(Variant(labels: labels, folder: Self.folder(labels, keys), configuration: configuration))
    }
    self.variants = variants
  }

  /// Seed by seed, so that all variants have something to show early.
  /// - Parameter folder: of the comparison.
  public func runs(in folder: String) -> [Run] {
    seeds.flatMap { seed in
      variants.indices.map { index in
        var configuration = variants[index].configuration
        configuration.seed = seed
        configuration.train.output = "\(folder)/runs/\(variants[index].folder)/seed-\(seed)"
        return Run(variant: index, seed: seed, configuration: configuration)
      }
    }
  }

  /// `sampler=focal, lossScaler=unscaled`
  public func name(of variant: Int) -> String { Self.name(variants[variant].labels, keys) }

  private static func name(_ labels: [String], _ keys: [String]) -> String {
    zip(keys, labels).map { $0 == "variant" ? $1 : "\($0)=\($1)" }.joined(separator: ", ")
  }

  /// The name where file systems take it, else with what they may not take replaced, and a hash to tell it from others.
  private static func folder(_ labels: [String], _ keys: [String]) -> String {
    let name = zip(keys, labels).map { $0 == "variant" ? $1 : "\($0)=\($1)" }.joined(separator: "+")
    let words = name.split { !($0.isASCII && ($0.isLetter || $0.isNumber || "=+._-".contains($0))) }
    let safe = String(words.joined(separator: "-").prefix(80))
    return safe == name && !safe.hasPrefix(".") ? safe : "\(safe)-\(fingerprint(name.utf8).prefix(8))"
  }
}

/// FNV-1a, 64 bits, as 16 hexadecimal digits.
func fingerprint(_ bytes: some Sequence<UInt8>) -> String {
  let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  let digits = String(hash, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}
