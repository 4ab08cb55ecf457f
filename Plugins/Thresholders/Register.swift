import DetectionCore

/// Adds all thresholders of this package to a registry.
public func registerThresholders(in registry: inout StrategyRegistry) {
  registry.register(FixedThreshold.self)
  registry.register(ClassAdaptiveThreshold.self)
}
