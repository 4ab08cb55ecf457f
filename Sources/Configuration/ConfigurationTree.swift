import Files
import Foundation
import Suggestions

/// A configuration file as a tree of nodes that know where they stand, with its bases merged in and overrides applied.
struct ConfigurationTree {
  /// Keys whose mappings replace the base's instead of being merged with it: a strategy's parameters belong to it.
  static let replacedWhole: Set<String> = ["sampler", "lossScaler", "bias", "thresholder", "regression", "normalization"]

  struct Scalar {
    /// As written.
    var text: String
    var value: CoreScalar
  }

  indirect enum Value {
    case scalar(Scalar)
    case list([Entry])
    case map([(key: String, entry: Entry)])
  }

  struct Entry {
    var value: Value
    /// `file:line`, or `--set key`.
    var place: String

    var isNull: Bool { if case .scalar(let scalar) = value { scalar.value == .null } else { false } }

    /// Neither keys nor anything else.
    var isEmpty: Bool { if case .map(let pairs) = value { pairs.isEmpty } else { isNull } }

    /// Where the nested `a.b.c` stands, or as much of it as there is.
    func place(of path: some Collection<String>) -> String {
      guard let key = path.first, case .map(let pairs) = value, let inner = pairs.last(where: { $0.key == key }) else {
        return place
      }
      return inner.entry.place(of: path.dropFirst())
    }
  }

  /// Reads a file and the files that it names as `base`.
  /// - Parameter namedAt: the place that names it, if a configuration does.
  static func load(_ path: String, namedAt: String? = nil, seen: [String] = []) throws -> Entry {
    let full = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard !seen.contains(full) else {
      throw ConfigurationError("\(path): its bases form a circle: \((seen + [full]).map { URL(fileURLWithPath: $0).lastPathComponent }.joined(separator: " -> "))")
    }
    let text = try text(of: path, namedAt: namedAt)
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent()
    let entry = resolvePlugins(of: try parseMapping(text, name: path), in: directory)
    guard case .map(var pairs) = entry.value, let index = pairs.firstIndex(where: { $0.key == "base" }) else { return entry }
    guard case .scalar(let base) = pairs[index].entry.value, base.value != .null, !base.text.isEmpty else {
      throw ConfigurationError("\(pairs[index].entry.place): \"base\" must be a file name")
    }
    let basePath = base.text.hasPrefix("/") ? base.text : directory.appendingPathComponent(base.text).relativePath
    let lower = try load(basePath, namedAt: pairs[index].entry.place, seen: seen + [full])
    pairs.remove(at: index)
    return try merge(lower, Entry(value: .map(pairs), place: entry.place))
  }

  /// Larger files are no configurations.
  private static let maximumByteCount = 1 << 20

  private static func text(of path: String, namedAt: String?) throws -> String {
    let name = namedAt.map { "\($0): the base \(path)" } ?? path
    do {
      let file = try OrdinaryFile.open(path)
      defer { close(file) }
      guard try OrdinaryFile.check(file, path) <= maximumByteCount else {
        throw ConfigurationError("\(name) is larger than 1 MB: no configuration")
      }
      guard let text = String(data: try OrdinaryFile.data(of: path, limit: maximumByteCount), encoding: .utf8) else {
        throw ConfigurationError("\(name) is not UTF-8 text")
      }
      return text
    } catch let error as FileError {
      throw ConfigurationError("\(name) cannot be read: \(error.reason)\(nearbyHint(path))")
    }
  }

  /// A file names plugins relative to its own folder.
  private static func resolvePlugins(of entry: Entry, in directory: URL) -> Entry {
    guard case .map(var pairs) = entry.value else { return entry }
    for index in pairs.indices where pairs[index].key == "plugins" {
      guard case .list(var items) = pairs[index].entry.value else { continue }
      for i in items.indices {
        guard case .scalar(let scalar) = items[i].value, scalar.value != .null, !scalar.text.isEmpty else { continue }
        let path = URL(fileURLWithPath: scalar.text, relativeTo: directory).standardizedFileURL.path
        items[i].value = .scalar(Scalar(text: path, value: .text(path)))
      }
      pairs[index].entry.value = .list(items)
    }
    return Entry(value: .map(pairs), place: entry.place)
  }

  /// Mappings key by key; of anything else the top's. A mapping with nothing under its key changes nothing.
  /// - Throws: `ConfigurationError` where keys would take the place of a value that can have none.
  static func merge(_ base: Entry, _ top: Entry) throws -> Entry {
    guard case .map(var merged) = base.value else {
      if case .map = top.value, !base.isNull { throw noMapping(base, for: top.place) }
      return top
    }
    if top.isNull { return base }
    guard case .map(let pairs) = top.value else { return top }
    for (key, entry) in pairs {
      if let index = merged.firstIndex(where: { $0.key == key }) {
        merged[index].entry = replacedWhole.contains(key) ? entry : try merge(merged[index].entry, entry)
      } else {
        merged.append((key, entry))
      }
    }
    return Entry(value: .map(merged), place: top.place)
  }

  static func noMapping(_ entry: Entry, for place: String) -> ConfigurationError {
    let value =
      switch entry.value {
      case .scalar(let scalar): "\"\(scalar.text)\""
      default: "a list"
      }
    return ConfigurationError("\(entry.place): is \(value), must be a mapping of keys to values to be given some by \(place)")
  }

  private static func nearbyHint(_ path: String) -> String {
    let url = URL(fileURLWithPath: path)
    let files = (try? FileManager.default.contentsOfDirectory(atPath: url.deletingLastPathComponent().path)) ?? []
    guard !files.contains(url.lastPathComponent) else { return "" }
    return Suggestions.hint(for: url.lastPathComponent, in: files.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") })
  }
}
