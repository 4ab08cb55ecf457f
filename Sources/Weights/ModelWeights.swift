import DetectionCore
import NeuralNetwork

/// What a model's numbers do not say themselves: saved with them, so that inference needs nothing else.
public struct WeightsMetadata: Hashable, Sendable {
  /// The version of the layout that this module writes, and the highest that it reads.
  public static let currentFormatVersion = 1
  /// What `detector` is for weights of a backbone alone.
  public static let backbone = "backbone"

  public var formatVersion: Int
  /// A detector's name in configurations, or `backbone` for a backbone alone.
  public var detector: String
  /// The whole configuration, as YAML.
  public var configuration: String
  /// One name a class, in the order of the outputs.
  public var classNames: [String]
  /// How names and axes are to be read: "native", or the name of the framework the weights come from.
  public var convention: String
  /// Counts over the training samples, from which thresholds follow; nil when they were not counted.
  public var statistics: TrainingStatistics?

  public init(
    formatVersion: Int = currentFormatVersion, detector: String, configuration: String = "", classNames: [String],
    convention: String = "native", statistics: TrainingStatistics? = nil
  ) {
    self.formatVersion = formatVersion
    self.detector = detector
    self.configuration = configuration
    self.classNames = classNames
    self.convention = convention
    self.statistics = statistics
  }
}

/// A model's parameters by name.
public struct ModelWeights: Hashable, Sendable {
  /// By the layer's path and the parameter's name: "backbone/stem/conv/kernel".
  public var tensors: [String: Tensor]
  public var metadata: WeightsMetadata
  /// Names of what else the file holds, such as a classifier behind a backbone, sorted.
  public var leftovers: [String]
  /// What had to be assumed of the model as its file does not say it, one sentence each: for the user to see.
  public var assumptions: [String]

  public init(tensors: [String: Tensor], metadata: WeightsMetadata, leftovers: [String] = [], assumptions: [String] = []) {
    self.tensors = tensors
    self.metadata = metadata
    self.leftovers = leftovers
    self.assumptions = assumptions
  }

  /// The number of values in all tensors.
  public var parameterCount: Int { tensors.values.reduce(0) { $0 + $1.count } }

  /// The first tensor, by path, with a value that is infinite or no number; a ReLU may hide such weights from results.
  public var firstNotFinite: String? {
    tensors.keys.sorted().first { path in tensors[path].map { !$0.values.allSatisfy(\.isFinite) } ?? false }
  }
}

/// All that a training run needs to go on as if it had not stopped.
public struct Checkpoint: Hashable, Sendable {
  public var weights: ModelWeights
  /// The optimiser's state by parameter: "momentum/backbone/stem/conv/kernel".
  public var optimizer: [String: Tensor]
  /// The step reached and the strategies' state, by name.
  public var training: [String: [Double]]

  public init(weights: ModelWeights, optimizer: [String: Tensor], training: [String: [Double]]) {
    self.weights = weights
    self.optimizer = optimizer
    self.training = training
  }
}
