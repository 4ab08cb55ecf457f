import Foundation
import Suggestions
import Yams

/// A configuration file as a tree of nodes that know where they stand, with its bases merged in and overrides applied.
struct ConfigurationTree {
  /// Keys whose mappings replace the base's instead of being merged with it: a strategy's parameters belong to it.
  static let replacedWhole: Set<String> = ["sampler", "lossScaler", "bias", "thresholder", "regression", "normalization"]

  indirect enum Value {
    case scalar(Node.Scalar)
    case list([Entry])
    case map([(key: String, entry: Entry)])
  }

  struct Entry {
    var value: Value
    /// `file:line`, or `--set key`.
    var place: String
  }

  /// Reads a file and the files that it names as `base`.
  static func load(_ path: String, seen: [String] = []) throws -> Entry {
    let full = URL(fileURLWithPath: path).standardizedFileURL.path
    guard !seen.contains(full) else {
      throw ConfigurationError("\(path): its bases form a circle: \((seen + [full]).map { URL(fileURLWithPath: $0).lastPathComponent }.joined(separator: " -> "))")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ConfigurationError("\(path): cannot be read\(nearbyHint(path))")
    }
    guard let text = String(data: data, encoding: .utf8) else { throw ConfigurationError("\(path): is not UTF-8 text") }
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent()
    let entry = resolvePlugins(of: try parse(text, name: path), in: directory)
    guard case .map(var pairs) = entry.value, let index = pairs.firstIndex(where: { $0.key == "base" }) else { return entry }
    guard case .scalar(let base) = pairs[index].entry.value else {
      throw ConfigurationError("\(pairs[index].entry.place): \"base\" must be a file name")
    }
    pairs.remove(at: index)
    let basePath = base.string.hasPrefix("/") ? base.string : directory.appendingPathComponent(base.string).relativePath
    return merge(try load(basePath, seen: seen + [full]), Entry(value: .map(pairs), place: entry.place))
  }

  /// A file names plugins relative to its own folder.
  private static func resolvePlugins(of entry: Entry, in directory: URL) -> Entry {
    guard case .map(var pairs) = entry.value else { return entry }
    for index in pairs.indices where pairs[index].key == "plugins" {
      guard case .list(var items) = pairs[index].entry.value else { continue }
      for i in items.indices {
        guard case .scalar(var scalar) = items[i].value else { continue }
        scalar.string = URL(fileURLWithPath: scalar.string, relativeTo: directory).standardizedFileURL.path
        items[i].value = .scalar(scalar)
      }
      pairs[index].entry.value = .list(items)
    }
    return Entry(value: .map(pairs), place: entry.place)
  }

  static func parse(_ text: String, name: String) throws -> Entry {
    let node: Node?
    do { node = try Yams.compose(yaml: text) } catch let error as YamlError {
      throw ConfigurationError("\(name): is not valid YAML: \(String(describing: error).split(separator: "\n").joined(separator: " "))")
    }
    guard let node else { return Entry(value: .map([]), place: name) }
    return try entry(node, name: name, depth: 0)
  }

  private static func entry(_ node: Node, name: String, depth: Int) throws -> Entry {
    let place = node.mark.map { "\(name):\($0.line)" } ?? name
    guard depth < 32 else { throw ConfigurationError("\(place): is nested too deeply") }
    switch node {
    case .scalar(let scalar): return Entry(value: .scalar(scalar), place: place)
    case .sequence(let sequence):
      return Entry(value: .list(try sequence.map { try entry($0, name: name, depth: depth + 1) }), place: place)
    case .mapping(let mapping):
      let pairs = try mapping.map { key, value in
        guard let key = key.string else { throw ConfigurationError("\(place): keys must be names") }
        return (key: key, entry: try entry(value, name: name, depth: depth + 1))
      }
      return Entry(value: .map(pairs), place: place)
    case .alias: throw ConfigurationError("\(place): aliases are not supported")
    }
  }

  static func merge(_ base: Entry, _ top: Entry) -> Entry {
    guard case .map(var merged) = base.value, case .map(let pairs) = top.value else { return top }
    for (key, entry) in pairs {
      if let index = merged.firstIndex(where: { $0.key == key }) {
        merged[index].entry = replacedWhole.contains(key) ? entry : merge(merged[index].entry, entry)
      } else {
        merged.append((key, entry))
      }
    }
    return Entry(value: .map(merged), place: top.place)
  }

  /// Applies `key.path=value`, the value being YAML.
  static func apply(_ override: String, to entry: Entry) throws -> Entry {
    guard let equals = override.firstIndex(of: "="), equals != override.startIndex else {
      throw ConfigurationError("--set \(override): must be key=value")
    }
    let place = "--set \(override)"
    let keys = override[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard keys.allSatisfy({ !$0.isEmpty }) else { throw ConfigurationError("\(place): an empty key") }
    var value = try parse(String(override[override.index(after: equals)...]), name: place)
    value.place = place
    return replace(keys[...], in: entry, by: value, place: place)
  }

  private static func replace(_ keys: ArraySlice<String>, in entry: Entry, by value: Entry, place: String) -> Entry {
    guard let key = keys.first else { return value }
    var pairs: [(key: String, entry: Entry)] = []
    switch entry.value {
    case .map(let known): pairs = known
    // `sampler: focal` and `--set sampler.focal.gamma=1`: the bare name gets parameters.
    case .scalar, .list: pairs = []
    }
    if let index = pairs.firstIndex(where: { $0.key == key }) {
      pairs[index].entry = replace(keys.dropFirst(), in: pairs[index].entry, by: value, place: place)
    } else {
      pairs.append((key, replace(keys.dropFirst(), in: Entry(value: .map([]), place: place), by: value, place: place)))
    }
    return Entry(value: .map(pairs), place: entry.place)
  }

  private static func nearbyHint(_ path: String) -> String {
    let url = URL(fileURLWithPath: path)
    let files = (try? FileManager.default.contentsOfDirectory(atPath: url.deletingLastPathComponent().path)) ?? []
    return Suggestions.hint(for: url.lastPathComponent, in: files.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") })
  }
}
