import DetectionCore
import Foundation

/// What the authors' code of 2021 does: w guided for the first steps and then frozen; the scaled classification loss and
/// the regression loss each divided by 2·sigma², and log(sigma_cls·sigma_reg) added. Both sigmas are learned from 1.
///
/// There the sigmas are parameters of the network's optimiser. Here, as in `UncertaintyScaling`, they follow their own
/// gradient, d/dsigma = 1/sigma - L/sigma³, after each step, at a rate of their own and without momentum, and are kept in
/// checkpoints. They stay within 1e-3...1e3; a loss of 0 says nothing of its sigma.
public struct LearnedGuidedScaling: LossScaler, CheckpointedStrategy {
  public static let name = "guided-learned"
  public static let summary = "guided-frozen, then both losses divided by learned variances"
  public static let source = "github.com/ChenJoya/objnessdet, functions/guided_loss.py (GuidedLoss)"
  public static let parameters = [
    ParameterDescription("steps", default: "100", "mini-batches before w is frozen, 1...1e9"),
    ParameterDescription("rate", default: "0.01", "learning rate of the sigmas, 0...10"),
  ]

  public let rate: Float
  public private(set) var sigmas = (classification: 1.0, regression: 1.0)
  private var frozen: FrozenGuidedScaling

  public init(steps: Int = 100, rate: Float = 0.01) {
    frozen = FrozenGuidedScaling(steps: steps)
    self.rate = rate
  }

  public init(parameters: inout ParameterReader) throws {
    frozen = try FrozenGuidedScaling(parameters: &parameters)
    rate = try parameters.float("rate", default: 0.01, in: 0...10)
  }

  /// - Throws: `StrategyError` where a loss is negative or not finite.
  public mutating func scales(classification: Float, regression: Float) throws -> LossScales {
    let w = Double(try frozen.scales(classification: classification, regression: regression).classification)
    let s = sigmas
    sigmas.classification = learned(s.classification, w * Double(classification))
    sigmas.regression = learned(s.regression, Double(regression))
    return LossScales(
      classification: Float(w / (2 * s.classification * s.classification)),
      regression: Float(1 / (2 * s.regression * s.regression)),
      penalty: Float(log(s.classification) + log(s.regression)))
  }

  private func learned(_ sigma: Double, _ loss: Double) -> Double {
    guard loss > 0 else { return sigma }
    return min(max(sigma - Double(rate) * (1 / sigma - loss / (sigma * sigma * sigma)), 1e-3), 1e3)
  }

  public var state: [String: [Double]] {
    get { frozen.state.merging(["sigmas": [sigmas.classification, sigmas.regression]]) { $1 } }
    set {
      frozen.state = newValue
      guard let values = newValue["sigmas"], values.count == 2, values.allSatisfy({ $0 > 0 }) else { return }
      sigmas = (values[0], values[1])
    }
  }
}
