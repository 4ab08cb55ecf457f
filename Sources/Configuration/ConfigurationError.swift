/// What is wrong with a configuration: file and line, key, and the nearest valid choice.
public struct ConfigurationError: Error, CustomStringConvertible, Hashable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
