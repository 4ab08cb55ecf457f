import Suggestions

/// A strategy's parameter, for listings and error messages.
public struct ParameterDescription: Hashable, Sendable {
  public var name: String
  /// As it is printed: `2`, `0.25`, `none`.
  public var defaultValue: String
  /// What it is, with unit and range.
  public var summary: String

  public init(_ name: String, default defaultValue: String, _ summary: String) {
    self.name = name
    self.defaultValue = defaultValue
    self.summary = summary
  }
}

/// Hands out a strategy's parameters with their types checked.
public struct ParameterReader: Sendable {
  /// For error messages: `sampler "focal"`.
  public let owner: String
  private let values: [String: ParameterValue]

  public init(_ values: [String: ParameterValue], owner: String) {
    self.values = values
    self.owner = owner
  }

  /// - Throws: `StrategyError` where the value is no number or not in `range`.
  public mutating func float(_ name: String, default defaultValue: Float, in range: ClosedRange<Float>) throws -> Float {
    let value: Float
    switch values[name] {
    case nil: return defaultValue
    case .int(let integer): value = Float(integer)
    case .double(let double): value = Float(double)
    case .some(let other): throw wrongType(name, other, "a number")
    }
    guard range.contains(value) else {
      throw StrategyError("\(owner): parameter \"\(name)\" is \(value), must lie in \(range.lowerBound)...\(range.upperBound)")
    }
    return value
  }

  /// - Throws: `StrategyError` where the value is no whole number or not in `range`.
  public mutating func int(_ name: String, default defaultValue: Int, in range: ClosedRange<Int>) throws -> Int {
    switch values[name] {
    case nil: return defaultValue
    case .int(let value):
      guard range.contains(value) else {
        throw StrategyError("\(owner): parameter \"\(name)\" is \(value), must lie in \(range.lowerBound)...\(range.upperBound)")
      }
      return value
    case .some(let other): throw wrongType(name, other, "a whole number")
    }
  }

  /// - Throws: `StrategyError` where the value is none of the choices.
  public mutating func choice<T: RawRepresentable & CaseIterable>(_ name: String, default defaultValue: T) throws -> T
  where T.RawValue == String {
    switch values[name] {
    case nil: return defaultValue
    case .string(let text):
      let choices = T.allCases.map(\.rawValue)
      guard let value = T(rawValue: text) else {
        throw StrategyError(
          "\(owner): parameter \"\(name)\" is \"\(text)\", must be one of \(choices.joined(separator: ", "))\(Suggestions.hint(for: text, in: choices))")
      }
      return value
    case .some(let other): throw wrongType(name, other, "a name")
    }
  }

  private func wrongType(_ name: String, _ value: ParameterValue, _ expected: String) -> StrategyError {
    StrategyError("\(owner): parameter \"\(name)\" must be \(expected), not \(value)")
  }
}
