import Suggestions

/// What is wrong with a configuration: file and line, key, and the nearest valid choice.
public struct ConfigurationError: Error, CustomStringConvertible, Hashable {
  public let description: String
  /// What steers a terminal, as a text from a file may, is escaped.
  public init(_ description: String) { self.description = description.escapedForDisplay }
}
