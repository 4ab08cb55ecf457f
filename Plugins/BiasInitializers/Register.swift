import DetectionCore

/// Adds all bias initialisers of this package to a registry.
public func registerBiasInitializers(in registry: inout StrategyRegistry) {
  registry.register(ClassWiseOptimalBias.self)
  registry.register(ConstantBias.self)
  registry.register(OptimalBias.self)
}
