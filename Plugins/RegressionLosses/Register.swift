import DetectionCore

/// Adds all regression losses of this package to a registry.
public func registerRegressionLosses(in registry: inout StrategyRegistry) {
  registry.register(GradientHarmonizingRegression.self)
  registry.register(SmoothL1.self)
  registry.register(L1.self)
}
