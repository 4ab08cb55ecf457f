extension ExperimentConfiguration {
  /// A key whose values differ, as canonical YAML has them; nil where one has no such key.
  public struct Difference: Hashable, Sendable, CustomStringConvertible {
    /// `train.learningRate`
    public var key: String
    public var old: String?
    public var new: String?

    public var description: String { "\(key): \(old ?? "none") -> \(new ?? "none")" }
  }

  /// In the order of the canonical YAML.
  public func differences(from old: ExperimentConfiguration) -> [Difference] {
    let (before, now) = (Self.leaves(of: old.yaml), Self.leaves(of: yaml))
    let (olds, news) = (Dictionary(before) { $1 }, Dictionary(now) { $1 })
    let gone = before.filter { news[$0.key] == nil }
    return (now + gone).compactMap { key, _ in
      olds[key] == news[key] ? nil : Difference(key: key, old: olds[key], new: news[key])
    }
  }

  /// Whether a text is what `yaml` gives for it, or what an earlier version with fewer keys gave: one that a program wrote
  /// and not a person.
  public static func isCanonical(_ text: String) -> Bool {
    guard let configuration = try? ExperimentConfiguration(yaml: text, name: "") else { return false }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var canonical = configuration.yaml.split(separator: "\n", omittingEmptySubsequences: false)[...]
    for line in lines {
      guard let index = canonical.firstIndex(of: line) else { return false }
      canonical = canonical[(index + 1)...]
    }
    return Set(["data:", "input:", "detector:", "loss:", "train:"]).isSubset(of: lines)
  }

  /// Keys with their values: a line each in canonical YAML, the sections' lines above them.
  private static func leaves(of yaml: String) -> [(key: String, value: String)] {
    var sections: [Substring] = []
    return yaml.split(separator: "\n").compactMap { line in
      let depth = line.prefix { $0 == " " }.count / 2
      let parts = line.drop { $0 == " " }.split(separator: ":", maxSplits: 1)
      sections = sections.prefix(depth) + [parts[0]]
      guard parts.count == 2 else { return nil }
      return (sections.joined(separator: "."), String(parts[1].dropFirst()))
    }
  }
}
