import DetectionCore

/// Adds all loss scalers of this package to a registry.
public func registerLossScalers(in registry: inout StrategyRegistry) {
  registry.register(BoundedGuidedScaling.self)
  registry.register(ConstantScale.self)
  registry.register(FrozenGuidedScaling.self)
  registry.register(GuidedLossScaling.self)
  registry.register(LearnedGuidedScaling.self)
  registry.register(UncertaintyScaling.self)
  registry.register(Unscaled.self)
}
