/// An untyped value of a strategy's parameter, as a configuration file states it.
public indirect enum ParameterValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case list([ParameterValue])
  case map([String: ParameterValue])
}
