import DetectionCore
import Suggestions

/// Reads one mapping of a configuration, key by key, and at the end refuses the keys that nobody asked for.
struct SectionReader {
  private let whole: ConfigurationTree.Entry
  private let pairs: [(key: String, entry: ConfigurationTree.Entry)]
  /// `train.`, or nothing at the top.
  private let prefix: String
  private var asked: [String] = []

  init(_ entry: ConfigurationTree.Entry, prefix: String = "") throws {
    whole = entry
    self.prefix = prefix
    switch entry.value {
    case .map(let pairs): self.pairs = pairs
    case _ where entry.isNull: pairs = []
    default:
      let name = prefix.isEmpty ? "a configuration" : "\"\(prefix.dropLast())\""
      throw ConfigurationError("\(entry.place): \(name) must be a mapping of keys to values")
    }
  }

  private mutating func entry(_ key: String) -> ConfigurationTree.Entry? {
    asked.append(key)
    return pairs.last { $0.key == key }?.entry
  }

  private func error(_ key: String, _ entry: ConfigurationTree.Entry, _ message: String) -> ConfigurationError {
    ConfigurationError("\(entry.place): \"\(prefix)\(key)\" \(message)")
  }

  /// What is wrong with values that are valid each by itself.
  /// - Parameter path: of the key, from this section, such as `anchors.sizes`; nothing for the section itself.
  func problem(_ message: String, at path: String = "") -> ConfigurationError {
    let name = path.isEmpty ? String(prefix.dropLast()) : prefix + path
    return ConfigurationError("\(whole.place(of: path.split(separator: ".").map(String.init))): \"\(name)\" \(message)")
  }

  private func scalar(_ key: String, _ entry: ConfigurationTree.Entry, _ expected: String) throws -> CoreScalar {
    guard case .scalar(let scalar) = entry.value else { throw error(key, entry, "must be \(expected)") }
    return scalar.value
  }

  /// A whole number, nil for anything else.
  private func int(_ key: String, _ entry: ConfigurationTree.Entry, _ expected: String) throws -> Int? {
    guard case .int(let value, _) = try scalar(key, entry, expected) else { return nil }
    return value
  }

  /// Reads a nested mapping; an absent one is empty.
  mutating func section<T>(_ key: String, _ read: (inout SectionReader) throws -> T) throws -> T {
    let entry = entry(key) ?? ConfigurationTree.Entry(value: .map([]), place: whole.place)
    var reader = try SectionReader(entry, prefix: "\(prefix)\(key).")
    let value = try read(&reader)
    try reader.finish()
    return value
  }

  mutating func int(_ key: String, _ defaultValue: Int, in range: ClosedRange<Int>) throws -> Int {
    guard let entry = entry(key) else { return defaultValue }
    guard let value = try int(key, entry, "a whole number") else { throw error(key, entry, "must be a whole number") }
    guard range.contains(value) else {
      let bounds = range.upperBound == .max ? "at least \(range.lowerBound)" : "\(range.lowerBound)...\(range.upperBound)"
      throw error(key, entry, "is \(value), must be \(bounds)")
    }
    return value
  }

  mutating func int(_ key: String, _ defaultValue: Int, oneOf choices: [Int]) throws -> Int {
    let value = try int(key, defaultValue, in: .min ... .max)
    guard choices.contains(value) else {
      throw problem("is \(value), must be one of \(choices.map(String.init).joined(separator: ", "))", at: key)
    }
    return value
  }

  mutating func float(_ key: String, _ defaultValue: Float, in range: ClosedRange<Float>) throws -> Float {
    guard let entry = entry(key) else { return defaultValue }
    return try number(key, entry, in: range)
  }

  private func number(_ key: String, _ entry: ConfigurationTree.Entry, in range: ClosedRange<Float>) throws -> Float {
    let value: Float
    switch try scalar(key, entry, "a number") {
    case .int(_, let number), .float(let number): value = Float(number)
    default: throw error(key, entry, "must be a number")
    }
    guard value.isFinite, range.contains(value) else {
      let bounds =
        range.upperBound == .greatestFiniteMagnitude
        ? "at least \(range.lowerBound)" : "\(range.lowerBound)...\(range.upperBound)"
      throw error(key, entry, "is \(value), must be \(bounds)")
    }
    return value
  }

  mutating func bool(_ key: String, _ defaultValue: Bool) throws -> Bool {
    guard let entry = entry(key) else { return defaultValue }
    guard case .bool(let value) = try scalar(key, entry, "true or false") else { throw error(key, entry, "must be true or false") }
    return value
  }

  mutating func string(_ key: String, _ defaultValue: String) throws -> String { try optionalString(key) ?? defaultValue }

  mutating func optionalString(_ key: String) throws -> String? {
    guard let entry = entry(key) else { return nil }
    return try text(key, entry, "a text")
  }

  /// As it is written, were it a number; nil for null.
  private func text(_ key: String, _ entry: ConfigurationTree.Entry, _ expected: String) throws -> String? {
    guard case .scalar(let scalar) = entry.value else { throw error(key, entry, "must be \(expected)") }
    return scalar.value == .null ? nil : scalar.text
  }

  mutating func choice<T: RawRepresentable & CaseIterable>(_ key: String, _ defaultValue: T) throws -> T
  where T.RawValue == String {
    guard let entry = entry(key) else { return defaultValue }
    let text = try text(key, entry, "a name") ?? ""
    guard let value = T(rawValue: text) else {
      let names = T.allCases.map(\.rawValue)
      throw error(key, entry, "is \"\(text)\", must be one of \(names.joined(separator: ", "))\(Suggestions.hint(for: text, in: names))")
    }
    return value
  }

  mutating func floats(_ key: String, _ defaultValue: [Float], in range: ClosedRange<Float>, count: Int? = nil) throws -> [Float] {
    guard let entry = entry(key) else { return defaultValue }
    guard case .list(let items) = entry.value else { throw error(key, entry, "must be a list of numbers") }
    if let count, items.count != count { throw error(key, entry, "has \(items.count) numbers, must have \(count)") }
    return try items.map { try number(key, $0, in: range) }
  }

  mutating func ints(_ key: String, _ defaultValue: [Int], in range: ClosedRange<Int>) throws -> [Int] {
    guard let entry = entry(key) else { return defaultValue }
    guard case .list(let items) = entry.value else { throw error(key, entry, "must be a list of whole numbers") }
    return try items.map { item in
      guard let value = try int(key, item, "whole numbers"), range.contains(value) else {
        throw error(key, item, "must hold whole numbers of at least \(range.lowerBound)")
      }
      return value
    }
  }

  mutating func strings(_ key: String, _ defaultValue: [String]) throws -> [String] {
    guard let entry = entry(key) else { return defaultValue }
    guard case .list(let items) = entry.value else { throw error(key, entry, "must be a list of texts") }
    return try items.map { item in
      guard let text = try text(key, item, "a list of texts"), !text.isEmpty else { throw error(key, item, "holds an empty text") }
      return text
    }
  }

  /// A bare name, or a name with its parameters.
  mutating func strategy(_ key: String, _ defaultValue: StrategyReference) throws -> StrategyReference {
    guard let entry = entry(key) else { return defaultValue }
    switch entry.value {
    case .scalar(let scalar) where !entry.isNull && !scalar.text.isEmpty:
      return StrategyReference(scalar.text, place: entry.place)
    case .map(let pairs) where pairs.count == 1:
      switch pairs[0].entry.value {
      case .map(let parameters):
        return StrategyReference(
          pairs[0].key,
          parameters: Dictionary(parameters.map { ($0.key, Self.parameter($0.entry.value)) }) { $1 }, place: entry.place)
      case .scalar(let scalar) where scalar.value == .null:
        return StrategyReference(pairs[0].key, place: entry.place)
      default: throw error(key, pairs[0].entry, "must map \"\(pairs[0].key)\" to its parameters")
      }
    default: throw error(key, entry, "must be a name, or a name with its parameters: { focal: { gamma: 2 } }")
    }
  }

  private static func parameter(_ value: ConfigurationTree.Value) -> ParameterValue {
    switch value {
    case .list(let items): return .list(items.map { parameter($0.value) })
    case .map(let pairs): return .map(Dictionary(pairs.map { ($0.key, parameter($0.entry.value)) }) { $1 })
    case .scalar(let scalar):
      switch scalar.value {
      case .null: return .null
      case .int(let value?, _): return .int(value)
      case .int(nil, let number), .float(let number): return .double(number)
      case .bool(let value): return .bool(value)
      case .text(let text): return .string(text)
      }
    }
  }

  /// - Throws: `ConfigurationError` naming the first key that is not known, and the nearest that is.
  func finish() throws {
    for (key, entry) in pairs where !asked.contains(key) {
      throw ConfigurationError(
        "\(entry.place): unknown key \"\(prefix)\(key)\"; valid here: \(asked.sorted().joined(separator: ", "))\(Suggestions.hint(for: key, in: asked))")
    }
  }
}
