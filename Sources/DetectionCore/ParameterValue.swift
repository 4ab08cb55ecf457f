/// An untyped value of a strategy's parameter, as a configuration file states it.
public enum ParameterValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case list([ParameterValue])
  case map([String: ParameterValue])
}

extension ParameterValue: CustomStringConvertible {
  /// One line of YAML.
  public var description: String {
    switch self {
    case .null: "null"
    case .bool(let value): value.description
    case .int(let value): value.description
    case .double(let value): value.isNaN ? ".nan" : value.isInfinite ? (value > 0 ? ".inf" : "-.inf") : value.description
    case .string(let value): Self.quoted(value)
    case .list(let values): "[\(values.map(\.description).joined(separator: ", "))]"
    case .map(let pairs):
      "{ \(pairs.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)): \($0.value)" }.joined(separator: ", ")) }"
    }
  }

  /// A text in double quotes, with YAML's escapes.
  package static func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar -> String in
      switch scalar {
      case "\"": "\\\""
      case "\\": "\\\\"
      case "\n": "\\n"
      case "\t": "\\t"
      case _ where scalar.value < 32 || (127..<160).contains(scalar.value):
        "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      // Line breaks and the byte order mark: as they are, a reader would fold or drop them.
      case "\u{2028}", "\u{2029}", "\u{FEFF}": "\\u" + String(scalar.value, radix: 16)
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
}
