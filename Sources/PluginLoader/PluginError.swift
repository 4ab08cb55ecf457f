/// Why a strategy plugin was not loaded.
public struct PluginError: Error, CustomStringConvertible, Hashable {
  public let path: String
  public let reason: String

  public var description: String { "plugin \(path) \(reason)" }
}
