/// A strategy by name with its parameters, as a configuration states it: `none`, or `{ focal: { gamma: 2 } }`.
public struct StrategyReference: Hashable, Sendable {
  public var name: String
  public var parameters: [String: ParameterValue]

  public init(_ name: String, parameters: [String: ParameterValue] = [:]) {
    self.name = name
    self.parameters = parameters
  }
}
