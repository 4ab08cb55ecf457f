import DetectionCore
import Foundation

/// The bias with the lowest initial cross entropy where each class may start at its own probability.
///
/// Sigmoid: while class j's outputs are all pi_j, its share of the loss is -N_j·log(pi_j) - (N - N_j)·log(1 - pi_j), lowest
/// at pi_j = N_j / N; b_j = -log((1 - pi_j) / pi_j). The optimal single probability (`optimal`) is their mean.
///
/// Softmax with background: while an anchor's outputs are pi_0 for the background and pi_j, its cross entropy sums to
/// -(N - N_f)·log(pi_0) - sum_j N_j·log(pi_j). With the probabilities adding up to 1, a Lagrange multiplier l gives
/// N_j / pi_j = l for all j and (N - N_f) / pi_0 = l; summed up, l = N. So pi_j = N_j / N and pi_0 = 1 - N_f / N. A
/// softmax has one bias too many; the one that makes b_j = log(pi_j) is taken.
///
/// A class without foreground starts as if it had one anchor, for log(0) would keep it from ever learning.
public struct ClassWiseOptimalBias: BiasInitializer {
  public static let name = "class-wise"
  public static let summary = "each class' own initial probability N_j / N"
  public static let source = "Chen et al., arXiv 1909.04868, section 4.3, minimised class by class"

  public init() {}
  public init(parameters: inout ParameterReader) throws {}

  /// - Throws: `StrategyError` where there is no foreground or nothing else.
  public func bias(for statistics: TrainingStatistics, activation: Activation) throws -> [Float] {
    let (foreground, all) = (statistics.foregroundCount, statistics.anchorCount)
    guard foreground > 0, foreground < all else {
      throw StrategyError("class-wise bias: \(foreground) of \(all) training anchors are foreground; it needs some of both kinds")
    }
    let counts = statistics.foregroundCounts.map { Double(max(1, $0)) }
    switch activation {
    case .sigmoid: return counts.map { Float(-log((Double(all) - $0) / $0)) }
    case .softmaxWithBackground:
      let total = Double(all - foreground) + counts.reduce(0, +)
      return [Float(log(Double(all - foreground) / total))] + counts.map { Float(log($0 / total)) }
    }
  }
}
