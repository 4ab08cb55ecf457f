import DetectionCore

/// Adds all loss scalers of this package to a registry.
public func registerLossScalers(in registry: inout StrategyRegistry) {
  registry.register(Unscaled.self)
  registry.register(GuidedLossScaling.self)
}
