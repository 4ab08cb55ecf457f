import Configuration
import Detectors
import Suggestions
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

/// Which of a data set's classes a detector's outputs stand for.
struct ClassMap {
  /// One an output; nil where the data set has no such class.
  let indexes: [Int?]

  /// By position where there are as many, else by name.
  /// - Throws: `DetectorError` naming a class of the data set that the detector does not know.
  init(outputs: [String], dataset: [String]) throws {
    guard outputs.count != dataset.count else {
      indexes = Array(dataset.indices)
      return
    }
    if let unknown = dataset.first(where: { !outputs.contains($0) }) {
      throw DetectorError(
        "the data set has \(Self.list(dataset)), the detector \(Self.list(outputs)): no \"\(unknown)\" among them\(Suggestions.hint(for: unknown, in: outputs))")
    }
    indexes = outputs.map { dataset.firstIndex(of: $0) }
  }

  /// The number of classes and the first names.
  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(4).joined(separator: ", ") + (names.count > 4 ? ", ..." : "")
    return "\(names.count) \(names.count == 1 ? "class" : "classes") (\(shown))"
  }
}
