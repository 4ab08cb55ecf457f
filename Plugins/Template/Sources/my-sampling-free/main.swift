import AsymmetricFocus
import SamplingFree
import SamplingFreeCommand

var registry = StrategyRegistry.standard
registry.register(AsymmetricFocus.self)
SamplingFreeCommand.run(registry: registry)
