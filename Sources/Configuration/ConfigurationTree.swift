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

    var isNull: Bool { if case .scalar(let scalar) = value { Node.scalar(scalar).null != nil } else { false } }

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
    let full = URL(fileURLWithPath: path).standardizedFileURL.path
    guard !seen.contains(full) else {
      throw ConfigurationError("\(path): its bases form a circle: \((seen + [full]).map { URL(fileURLWithPath: $0).lastPathComponent }.joined(separator: " -> "))")
    }
    let text = try text(of: path, namedAt: namedAt)
    let directory = URL(fileURLWithPath: path).deletingLastPathComponent()
    let entry = resolvePlugins(of: try parse(text, name: path), in: directory)
    guard case .map(var pairs) = entry.value, let index = pairs.firstIndex(where: { $0.key == "base" }) else { return entry }
    guard case .scalar(let base) = pairs[index].entry.value else {
      throw ConfigurationError("\(pairs[index].entry.place): \"base\" must be a file name")
    }
    let basePath = base.string.hasPrefix("/") ? base.string : directory.appendingPathComponent(base.string).relativePath
    let lower = try load(basePath, namedAt: pairs[index].entry.place, seen: seen + [full])
    pairs.remove(at: index)
    return merge(lower, Entry(value: .map(pairs), place: entry.place))
  }

  /// Larger files are no configurations.
  private static let maximumByteCount = 1 << 20

  private static func text(of path: String, namedAt: String?) throws -> String {
    let name = namedAt.map { "\($0): the base \(path)" } ?? path
    guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: maximumByteCount + 1) ?? Data()
    else { throw ConfigurationError("\(name) cannot be read\(nearbyHint(path))") }
    guard data.count <= maximumByteCount else { throw ConfigurationError("\(name) is larger than 1 MB: no configuration") }
    guard let text = String(data: data, encoding: .utf8) else { throw ConfigurationError("\(name) is not UTF-8 text") }
    return text
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

  /// Mappings key by key; of anything else the top's. A mapping with nothing under its key changes nothing.
  static func merge(_ base: Entry, _ top: Entry) -> Entry {
    guard case .map(var merged) = base.value else { return top }
    if top.isNull { return base }
    guard case .map(let pairs) = top.value else { return top }
    for (key, entry) in pairs {
      if let index = merged.firstIndex(where: { $0.key == key }) {
        merged[index].entry = replacedWhole.contains(key) ? entry : merge(merged[index].entry, entry)
      } else {
        merged.append((key, entry))
      }
    }
    return Entry(value: .map(merged), place: top.place)
  }

  private static func nearbyHint(_ path: String) -> String {
    let url = URL(fileURLWithPath: path)
    let files = (try? FileManager.default.contentsOfDirectory(atPath: url.deletingLastPathComponent().path)) ?? []
    return Suggestions.hint(for: url.lastPathComponent, in: files.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") })
  }
}
