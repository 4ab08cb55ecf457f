@_exported import BiasInitializers
@_exported import Comparison
@_exported import Configuration
@_exported import Datasets
@_exported import DetectionCore
@_exported import Detectors
@_exported import Drawing
@_exported import Evaluation
@_exported import HDF5
@_exported import LossScalers
@_exported import NeuralNetwork
@_exported import PluginLoader
@_exported import RegressionLosses
@_exported import Samplers
@_exported import Thresholders
@_exported import Training
@_exported import Weights

extension StrategyRegistry {
  /// All strategies of this package.
  public static var standard: StrategyRegistry {
    var registry = StrategyRegistry()
    registerSamplers(in: &registry)
    registerRegressionLosses(in: &registry)
    registerLossScalers(in: &registry)
    registerThresholders(in: &registry)
    registerBiasInitializers(in: &registry)
    return registry
  }
}
