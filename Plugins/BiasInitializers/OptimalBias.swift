import DetectionCore
import Foundation

/// The bias with the lowest initial cross entropy: pi = N_f / (N·C) in every class (arXiv 1909.04868, section 4.3).
///
/// While all outputs are pi, CE(pi) = -N_f·log(pi) - (N·C - N_f)·log(1 - pi), whose derivative is 0 there. A softmax head
/// has one choice an anchor instead of C: CE = -sum_j N_j·log(pi) - (N - N_f)·log(1 - C·pi) is lowest at the same
/// pi = N_f / (N·C), the background getting 1 - N_f / N.
public struct OptimalBias: BiasInitializer {
  public static let name = "optimal"
  public static let summary = "the initial probability N_f / (N C) of lowest cross entropy"
  public static let source = "Chen et al., arXiv 1909.04868, section 4.3"

  public init() {}
  public init(parameters: inout ParameterReader) throws {}

  /// pi.
  /// - Throws: `StrategyError` where there is no foreground or nothing else.
  public static func probability(for statistics: TrainingStatistics) throws -> Double {
    let (foreground, all) = (statistics.foregroundCount, statistics.anchorCount)
    guard foreground > 0, foreground < all else {
      throw StrategyError("optimal bias: \(foreground) of \(all) training anchors are foreground; it needs some of both kinds")
    }
    return Double(foreground) / (Double(all) * Double(statistics.classCount))
  }

  public func bias(for statistics: TrainingStatistics, activation: Activation) throws -> [Float] {
    let p = try Self.probability(for: statistics)
    switch activation {
    case .sigmoid: return Array(repeating: Float(-log((1 - p) / p)), count: statistics.classCount)
    case .softmaxWithBackground:
      let rest = 1 - p * Double(statistics.classCount)
      return [Float(log(rest / p))] + Array(repeating: 0, count: statistics.classCount)
    }
  }
}
