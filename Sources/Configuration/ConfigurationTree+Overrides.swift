extension ConfigurationTree {
  /// Applies `key.path=value`, the value being YAML.
  static func apply(_ override: String, to entry: Entry) throws -> Entry {
    let place = "--set \(override)"
    guard let equals = override.firstIndex(of: "=") else {
      throw ConfigurationError("\(place): must have the form key=value")
    }
    let keys = override[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard keys.allSatisfy({ !$0.isEmpty }) else { throw ConfigurationError("\(place): an empty key") }
    let value = try parse(String(override[override.index(after: equals)...]), name: place, countsLines: false)
    return try replace(keys[...], in: entry, by: value)
  }

  /// - Parameter parent: the key that the entry stands at.
  private static func replace(_ keys: ArraySlice<String>, in entry: Entry, at parent: String = "", by value: Entry) throws -> Entry {
    guard let key = keys.first else { return value }
    guard case .map(var pairs) = entry.value else {
      // `sampler: focal` and `--set sampler.focal.gamma=1`: the bare name gets parameters.
      guard entry.isNull || replacedWhole.contains(parent) else { throw noMapping(entry, for: value.place) }
      let inner = try replace(keys.dropFirst(), in: Entry(value: .map([]), place: value.place), at: key, by: value)
      return Entry(value: .map([(key, inner)]), place: value.place)
    }
    let index = pairs.firstIndex { $0.key == key } ?? pairs.endIndex
    if index == pairs.endIndex { pairs.append((key, Entry(value: .map([]), place: value.place))) }
    let rest = keys.dropFirst()
    // Another strategy's parameters: the one that was there goes.
    if replacedWhole.contains(key), let name = rest.first, case .map(let known) = pairs[index].entry.value,
      !known.contains(where: { $0.key == name })
    {
      pairs[index].entry = Entry(value: .map([]), place: value.place)
    }
    pairs[index].entry = try replace(rest, in: pairs[index].entry, at: key, by: value)
    return Entry(value: .map(pairs), place: entry.place)
  }

  /// Puts a text's keys over an entry's; a key may be a path, `train.steps`.
  static func apply(_ layer: ConfigurationLayer, to entry: Entry) throws -> Entry {
    let top = try parse(layer.yaml, name: layer.name, countsLines: false)
    guard case .map(let pairs) = top.value else {
      throw ConfigurationError("\(layer.name): must be a mapping of keys to values")
    }
    return try pairs.reduce(entry) { merged, pair in
      let keys = pair.key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      let nested = keys.reversed().reduce(pair.entry) { Entry(value: .map([($1, $0)]), place: layer.name) }
      return try merge(merged, nested)
    }
  }
}
