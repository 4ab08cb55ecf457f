import DetectionCore

/// Adds all samplers of this package to a registry.
public func registerSamplers(in registry: inout StrategyRegistry) {
  registry.register(BiasedSampling.self)
  registry.register(ClassBalancedLoss.self)
  registry.register(EqualizationLoss.self)
  registry.register(FocalLoss.self)
  registry.register(GradientHarmonizing.self)
  registry.register(HardNegativeMining.self)
  registry.register(IoUBalancedSampling.self)
  registry.register(NoSampling.self)
  registry.register(OnlineHardExampleMining.self)
  registry.register(QualityFocalLoss.self)
  registry.register(VarifocalLoss.self)
}
