/// A strategy by name with its parameters, as a configuration states it: `none`, or `{ focal: { gamma: 2 } }`.
public struct StrategyReference: Hashable, Sendable {
  public var name: String
  public var parameters: [String: ParameterValue]
  /// Where it is stated, such as `recipe.yaml:12`, for error messages; of no account when references are compared.
  public var place: String?

  public init(_ name: String, parameters: [String: ParameterValue] = [:], place: String? = nil) {
    self.name = name
    self.parameters = parameters
    self.place = place
  }

  public static func == (a: StrategyReference, b: StrategyReference) -> Bool {
    a.name == b.name && a.parameters == b.parameters
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(parameters)
  }
}
