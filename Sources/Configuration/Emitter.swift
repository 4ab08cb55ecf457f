import DetectionCore

/// Writes canonical YAML: fixed order, two spaces, texts quoted.
struct Emitter {
  private(set) var text = ""
  private var indent = ""

  private mutating func line(_ key: String, _ value: String) { text += "\(indent)\(key): \(value)\n" }

  mutating func section(_ key: String, _ body: (inout Emitter) -> Void) {
    text += "\(indent)\(key):\n"
    indent += "  "
    body(&self)
    indent.removeLast(2)
  }

  mutating func value(_ key: String, _ value: some CustomStringConvertible) { line(key, value.description) }

  mutating func list(_ key: String, _ values: [some CustomStringConvertible]) {
    line(key, "[\(values.map(\.description).joined(separator: ", "))]")
  }

  mutating func texts(_ key: String, _ values: [String]) { list(key, values.map(ParameterValue.quoted)) }

  /// nil is null.
  mutating func text(_ key: String, _ value: String?) { line(key, value.map(ParameterValue.quoted) ?? "null") }

  mutating func strategy(_ key: String, _ strategy: StrategyReference) {
    guard !strategy.parameters.isEmpty else { return text(key, strategy.name) }
    line(key, ParameterValue.map([strategy.name: .map(strategy.parameters)]).description)
  }
}
