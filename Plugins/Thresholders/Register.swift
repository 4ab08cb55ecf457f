import DetectionCore

/// Adds all thresholders of this package to a registry.
public func registerThresholders(in registry: inout StrategyRegistry) {
  registry.register(FixedThreshold.self)
  registry.register(ClassAdaptiveThreshold.self)
  registry.register(ScalarThreshold.self)
  registry.register(TopKPerLevel.self)
  registry.register(CalibratedThreshold.self)
}
