import DetectionCore
import Foundation

/// Every element weighs the same.
public struct FlatSampler: Sampler {
  public static let name = "fixture-flat"
  public static let summary = "every element weighs the same"
  public static let source = "a test"
  public static let parameters = [ParameterDescription("weight", default: "1", "of every element, 0...10")]

  let weight: Float

  public init(parameters: inout ParameterReader) throws {
    weight = try parameters.float("weight", default: 1, in: 0...10)
  }

  public func weighting(for batch: ClassificationBatch, step: Int) throws -> Weighting {
    Weighting(law: .custom(FlatWeighting(weight: weight)), normalizer: Double(batch.foregroundCount))
  }

  private struct FlatWeighting: ElementWeighting {
    let weight: Float
    var carriesGradient: Bool { false }
    func weigh(_ block: WeightingBlock) { block.weights.update(repeating: weight) }
  }
}

/// w is the mean ratio of the losses so far.
public struct MeanScaler: LossScaler, CheckpointedStrategy {
  public static let name = "fixture-mean"
  public static let summary = "mean ratio of the losses so far"
  public static let source = "a test"

  private var sum = 0.0
  private var count = 0.0

  public init(parameters: inout ParameterReader) throws {}

  public mutating func scales(classification: Float, regression: Float) throws -> LossScales {
    sum += Double(regression / max(classification, 1e-6))
    count += 1
    return LossScales(classification: Float(sum / count))
  }

  public var state: [String: [Double]] {
    get { ["mean": [sum, count]] }
    set {
      guard let values = newValue["mean"], values.count == 2 else { return }
      (sum, count) = (values[0], values[1])
    }
  }
}

public struct ConstantThreshold: Thresholder {
  public static let name = "fixture-constant"
  public static let summary = "one threshold"
  public static let source = "a test"

  public init(parameters: inout ParameterReader) throws {}

  public func thresholds(for statistics: TrainingStatistics) throws -> [Float] {
    Array(repeating: 0.001, count: statistics.classCount)
  }
}

public struct FrequencyBias: BiasInitializer {
  public static let name = "fixture-frequency"
  public static let summary = "each class' frequency"
  public static let source = "a test"

  public init(parameters: inout ParameterReader) throws {}

  public func bias(for statistics: TrainingStatistics, activation: Activation) throws -> [Float] {
    statistics.foregroundCounts.map { count in
      let p = (Double(count) + 1) / (Double(statistics.anchorCount) + 2)
      return Float(log(p / (1 - p)))
    }
  }
}

public func registerFixtures(in registry: inout StrategyRegistry) {
  registry.register(FlatSampler.self)
  registry.register(MeanScaler.self)
  registry.register(ConstantThreshold.self)
  registry.register(FrequencyBias.self)
}

@_cdecl("sampling_free_plugin")
public func plugin(_ host: UnsafeMutableRawPointer) {
  StrategyPlugin.register(in: host) { registerFixtures(in: &$0) }
}
