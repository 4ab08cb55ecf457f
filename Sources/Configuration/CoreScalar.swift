import Yams

/// What a scalar stands for by YAML 1.2's core schema (its chapter 10.3.2): unlike in YAML 1.1 `yes` and `1:30` are texts,
/// 010 is ten and 0o10 eight.
enum CoreScalar: Hashable {
  case null
  case bool(Bool)
  /// nil where it is too large for an `Int`; and the number in any case.
  case int(Int?, Double)
  case float(Double)
  case text(String)

  /// - Returns: nil where the scalar's tag is none of the core schema's, or its text does not fit the tag.
  init?(_ scalar: Node.Scalar) {
    let plain = Self(plain: scalar.string)
    switch (Tag.Name(rawValue: scalar.tag.description), plain) {
    case (.implicit, _): self = scalar.style == .plain || scalar.style == .any ? plain : .text(scalar.string)
    case (.str, _), (.nonSpecific, _): self = .text(scalar.string)
    case (.null, .null), (.bool, .bool), (.int, .int), (.float, .float): self = plain
    case (.float, .int(_, let number)): self = .float(number)
    default: return nil
    }
  }

  private init(plain text: String) {
    switch text {
    case "", "~", "null", "Null", "NULL": self = .null
    case "true", "True", "TRUE": self = .bool(true)
    case "false", "False", "FALSE": self = .bool(false)
    case ".nan", ".NaN", ".NAN": self = .float(.nan)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": self = .float(.infinity)
    case "-.inf", "-.Inf", "-.INF": self = .float(-.infinity)
    default: self = Self(number: text) ?? .text(text)
    }
  }

  private init?(number text: String) {
    if text.wholeMatch(of: #/0o[0-7]+|0x[0-9a-fA-F]+/#) != nil {
      let (digits, radix) = (text.dropFirst(2), text.hasPrefix("0o") ? 8 : 16)
      self = .int(Int(digits, radix: radix), digits.reduce(0.0) { $0 * Double(radix) + Double($1.hexDigitValue ?? 0) })
    } else if text.wholeMatch(of: #/[-+]?[0-9]+/#) != nil, let number = Double(text) {
      self = .int(Int(text), number)
    } else if text.wholeMatch(of: #/[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?/#) != nil, let number = Double(text) {
      self = .float(number)
    } else {
      return nil
    }
  }
}
