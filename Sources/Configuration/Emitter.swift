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

  /// nil is null.
  mutating func text(_ key: String, _ value: String?) { line(key, value.map(Self.quoted) ?? "null") }

  mutating func strategy(_ key: String, _ strategy: StrategyReference) {
    guard !strategy.parameters.isEmpty else { return text(key, strategy.name) }
    line(key, "{ \(Self.quoted(strategy.name)): \(Self.flow(.map(strategy.parameters))) }")
  }

  private static func flow(_ value: ParameterValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): value.description
    case .int(let value): value.description
    case .double(let value): value.isNaN ? ".nan" : value.isInfinite ? (value > 0 ? ".inf" : "-.inf") : value.description
    case .string(let value): quoted(value)
    case .list(let values): "[\(values.map(flow).joined(separator: ", "))]"
    case .map(let pairs): "{ \(pairs.sorted { $0.key < $1.key }.map { "\(quoted($0.key)): \(flow($0.value))" }.joined(separator: ", ")) }"
    }
  }

  private static func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\"": "\\\""
      case "\\": "\\\\"
      case "\n": "\\n"
      case "\t": "\\t"
      default: scalar.value < 32 ? "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16) : String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
}
