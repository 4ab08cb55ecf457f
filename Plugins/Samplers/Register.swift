import DetectionCore

/// Adds all samplers of this package to a registry.
public func registerSamplers(in registry: inout StrategyRegistry) {
  registry.register(NoSampling.self)
  registry.register(FocalLoss.self)
}
