import Suggestions

/// Something that is chosen by name in a configuration. Conforming types are made by a `StrategyRegistry`.
public protocol Strategy: Sendable {
  /// As configurations spell it: lower case, words joined by hyphens.
  static var name: String { get }
  /// One line for listings.
  static var summary: String { get }
  /// The paper and equation, or code, that defines it.
  static var source: String { get }
  static var parameters: [ParameterDescription] { get }

  /// - Throws: `StrategyError` where a parameter has the wrong type or is out of range.
  init(parameters: inout ParameterReader) throws
}

extension Strategy {
  public static var parameters: [ParameterDescription] { [] }
}

/// Decides what each element (anchor and class) of the classification loss weighs.
///
/// Hard sampling weighs each anchor 0 or 1, soft sampling weighs elements by how they are predicted.
public protocol Sampler: Strategy {
  /// Called once a step, before the loss.
  /// - Parameter step: from 0; with a seed parameter, the only source of randomness.
  mutating func weighting(for batch: ClassificationBatch, step: Int) throws -> Weighting
}

/// The loss of box deltas on foreground anchors, and how they are weighed.
public protocol RegressionLoss: Strategy {
  /// - Parameter gradient: [anchors x 4], overwritten with d sum / d delta, neither normalised nor scaled; 0 off the
  ///   foreground.
  mutating func evaluate(
    _ batch: RegressionBatch, gradient: UnsafeMutableBufferPointer<Float>) throws -> RegressionLossValue
}

/// Factors of the two losses, plain numbers through which no gradient flows.
public struct LossScales: Hashable, Sendable {
  /// w.
  public var classification: Float
  public var regression: Float
  /// What a scaler adds to the total loss, for its own parameters' sake.
  public var penalty: Float

  public init(classification: Float, regression: Float = 1, penalty: Float = 0) {
    self.classification = classification
    self.regression = regression
    self.penalty = penalty
  }
}

/// Scales the classification loss against the regression loss.
public protocol LossScaler: Strategy {
  /// - Parameters:
  ///   - classification: the mini-batch's classification loss, normalised, over all processes and accumulated parts, so
  ///     that all processes find the same scales.
  ///   - regression: likewise.
  mutating func scales(classification: Float, regression: Float) throws -> LossScales
}

/// Gives the score above which a prediction becomes a candidate for non-maximum suppression.
public protocol Thresholder: Strategy {
  /// - Returns: [classes], probabilities.
  func thresholds(for statistics: TrainingStatistics) throws -> [Float]
  /// Candidates of a pyramid level that pass at most, the best ones, instead of the detector's own limit; nil, unless
  /// said otherwise, leaves that in force.
  var candidatesPerLevel: Int? { get }
}

extension Thresholder {
  public var candidatesPerLevel: Int? { nil }
}

/// A thresholder that learns its thresholds from a trained detector. They are kept with the statistics
/// (`TrainingStatistics.calibratedThresholds`), and so with the weights.
public protocol CalibratingThresholder: Thresholder {
  /// - Parameter matches: of detections without any threshold.
  /// - Returns: [classes], probabilities.
  func calibrate(_ matches: DetectionMatches, statistics: TrainingStatistics) throws -> [Float]
}

/// How a head turns logits into probabilities.
public enum Activation: String, Hashable, Sendable, CaseIterable {
  /// Each class by itself.
  case sigmoid
  /// All classes and the background, which comes first, together.
  case softmaxWithBackground
}

/// Starts the bias of the last classification layer.
public protocol BiasInitializer: Strategy {
  /// - Returns: one a class; with `softmaxWithBackground` the background's in front.
  func bias(for statistics: TrainingStatistics, activation: Activation) throws -> [Float]
}

/// A strategy that learns as it goes, and whose state belongs into checkpoints.
public protocol CheckpointedStrategy {
  var state: [String: [Double]] { get set }
}

/// Why a strategy could not be made or used.
public struct StrategyError: Error, CustomStringConvertible, Hashable {
  public let description: String
  /// What steers a terminal, as a name from a file may, is escaped.
  public init(_ description: String) { self.description = description.escapedForDisplay }
}
