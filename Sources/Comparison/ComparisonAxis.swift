import Configuration

/// One way in which runs of a comparison differ: a key with its values, or named variants of several keys.
public struct ComparisonAxis: Hashable, Sendable {
  public struct Choice: Hashable, Sendable {
    /// As tables and plots print it.
    public var label: String
    public var layer: ConfigurationLayer
  }

  /// `sampler`, `train.learningRate`, or `variant`.
  public var key: String
  public var choices: [Choice]

  /// - Parameter option: `sampler=none,{focal: {gamma: 2}}`: a key and its values, which are YAML.
  /// - Throws: `ConfigurationError` where key or values are missing or stand twice.
  public init(vary option: String) throws {
    let place = "--vary \(option)"
    guard let equals = option.firstIndex(of: "="), equals != option.startIndex else {
      throw ConfigurationError("\(place): must be key=value,value,...")
    }
    let key = option[..<equals].trimmingSpaces()
    guard key.allSatisfy({ $0.isLetter || $0.isNumber || "._-".contains($0) }) else {
      throw ConfigurationError("\(place): \"\(key)\" is no configuration key")
    }
    if key == "seed" { throw ConfigurationError("\(place): seeds are shared by all variants; name them with --seeds") }
    if key == "train.output" { throw ConfigurationError("\(place): every run has a folder of its own below --output") }
    self.key = key
    choices = try Self.values(option[option.index(after: equals)...]).map { value in
      guard !value.isEmpty else { throw ConfigurationError("\(place): a value is empty") }
      // `{focal: {gamma: 2}}` reads better as `focal: {gamma: 2}`.
      let isMapping = value.hasPrefix("{") && value.hasSuffix("}")
      let label = isMapping ? value.dropFirst().dropLast().trimmingSpaces() : value
      return Choice(label: label, layer: ConfigurationLayer(name: "--vary \(key)=\(value)", yaml: "\(key): \(value)"))
    }
    try checkLabels(place)
  }

  /// - Parameter options: each `name: {sampler: focal, lossScaler: unscaled}`.
  /// - Throws: `ConfigurationError` where name or mapping is missing, or a name stands twice.
  public init(variants options: [String]) throws {
    key = "variant"
    choices = try options.map { option in
      let parts = option.split(separator: ":", maxSplits: 1).map { $0.trimmingSpaces() }
      guard parts.count == 2, !parts[0].isEmpty, parts[1].hasPrefix("{") else {
        throw ConfigurationError("--variant \(option): must be name: {key: value, ...}")
      }
      return Choice(label: parts[0], layer: ConfigurationLayer(name: "--variant \(option)", yaml: parts[1]))
    }
    try checkLabels("--variant")
  }

  private func checkLabels(_ place: String) throws {
    var seen: Set<String> = []
    for choice in choices where !seen.insert(choice.label).inserted {
      throw ConfigurationError("\(place): \"\(choice.label)\" stands twice")
    }
  }

  /// Splits at the commas that are neither in brackets nor in quotes.
  private static func values(_ text: Substring) -> [String] {
    var values = [""]
    var depth = 0
    var quote: Character?
    for character in text {
      if let open = quote {
        if character == open { quote = nil }
      } else if character == "\"" || character == "'" {
        quote = character
      } else if "{[".contains(character) {
        depth += 1
      } else if "}]".contains(character) {
        depth -= 1
      } else if character == ",", depth == 0 {
        values.append("")
        continue
      }
      values[values.count - 1].append(character)
    }
    return values.map { $0[...].trimmingSpaces() }
  }
}

extension Substring {
  fileprivate func trimmingSpaces() -> String {
    let start = drop(while: \.isWhitespace)
    return String(start.reversed().drop(while: \.isWhitespace).reversed())
  }
}
