import Configuration
import Detectors
import Weights

extension ExperimentConfiguration {
  /// With detector, input and thresholds as weights of another framework imply them; this package's own weights change
  /// nothing.
  /// - Throws: `ConfigurationError` where the configuration in the file is damaged.
  public func adopting(_ metadata: WeightsMetadata) throws -> ExperimentConfiguration {
    guard metadata.convention != Convention.native.name else { return self }
    let implied = try ExperimentConfiguration(yaml: metadata.configuration, name: "the weights' configuration")
    var configuration = self
    configuration.input = implied.input
    configuration.detector = implied.detector
    configuration.thresholder = implied.thresholder
    return configuration
  }

  /// What this configuration does otherwise than the convention that weights follow.
  /// - Throws: `ConfigurationError` where the configuration in the file is damaged.
  public func differences(from metadata: WeightsMetadata) throws -> [Convention.Difference] {
    guard metadata.convention != Convention.native.name, !metadata.configuration.isEmpty else { return [] }
    let implied = try ExperimentConfiguration(yaml: metadata.configuration, name: "the weights' configuration")
    return Convention.differences(from: self, to: implied, wholeDetector: metadata.detector != WeightsMetadata.backbone)
  }
}
