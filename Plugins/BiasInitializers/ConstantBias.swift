import DetectionCore
import Foundation

/// The same initial probability pi for every class: 0.01 in RetinaNet (arXiv 1708.02002, section 4.1).
public struct ConstantBias: BiasInitializer {
  public static let name = "constant"
  public static let summary = "one initial probability for all classes"
  public static let source = "Lin et al. 2017, arXiv 1708.02002, section 4.1"
  public static let parameters = [
    ParameterDescription("probability", default: "0.01", "initial probability pi of each class, 1e-30...0.9999999")
  ]

  public let probability: Float

  public init(probability: Float = 0.01) { self.probability = probability }

  public init(parameters: inout ParameterReader) throws {
    probability = try parameters.float("probability", default: 0.01, in: 1e-30...0.9999999)
  }

  /// -log((1 - pi) / pi). With softmax the background gets the rest, 1 - C·pi.
  /// - Throws: `StrategyError` where C·pi leaves nothing for a softmax head's background.
  public func bias(for statistics: TrainingStatistics, activation: Activation) throws -> [Float] {
    let p = Double(probability)
    switch activation {
    case .sigmoid: return Array(repeating: Float(-log((1 - p) / p)), count: statistics.classCount)
    case .softmaxWithBackground:
      let rest = 1 - p * Double(statistics.classCount)
      guard rest > 0 else {
        throw StrategyError("bias \"constant\": \(statistics.classCount) classes of probability \(probability) leave none for the background")
      }
      return [Float(log(rest / p))] + Array(repeating: 0, count: statistics.classCount)
    }
  }
}
