/// YAML keys that lie over a configuration's, as a derived file's lie over its base's.
public struct ConfigurationLayer: Hashable, Sendable {
  /// What errors call it.
  public var name: String
  /// A mapping. A key may be a path: `train.steps: 100`.
  public var yaml: String

  public init(name: String, yaml: String) {
    self.name = name
    self.yaml = yaml
  }
}
