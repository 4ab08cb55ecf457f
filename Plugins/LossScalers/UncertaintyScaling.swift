import DetectionCore
import Foundation

/// Homoscedastic uncertainty: each loss is divided by a variance that is learned along with the network.
///
/// Kendall et al., "Multi-Task Learning Using Uncertainty to Weigh Losses", 2018, equations 7 and 10, with s = log(sigma²)
/// as the paper trains it: L = exp(-s_cls)·L_cls + s_cls/2 + exp(-s_reg)/2·L_reg + s_reg/2. The scales are exp(-s_cls)
/// and exp(-s_reg)/2, the rest is the penalty.
///
/// Both s start at 0. After each step they follow the loss' own gradient, d/ds_cls = 1/2 - exp(-s_cls)·L_cls and
/// d/ds_reg = 1/2 - exp(-s_reg)/2·L_reg, at a rate of their own and without momentum: they are numbers of the scaler's,
/// not parameters of the network, and are kept in checkpoints. They stay within -10...10, so that a loss near 0 cannot
/// blow its scale up. A loss of 0 (a mini-batch without foreground has no regression loss) says nothing of its variance,
/// which then stays as it is. As the losses are those of the whole mini-batch, all processes learn the same.
public struct UncertaintyScaling: LossScaler, CheckpointedStrategy {
  public static let name = "uncertainty"
  public static let summary = "both losses divided by learned variances"
  public static let source = "Kendall et al. 2018, arXiv 1705.07115, equations 7 and 10"
  public static let parameters = [
    ParameterDescription("rate", default: "0.01", "learning rate of the log variances, 0...10")
  ]

  public let rate: Float
  /// log(sigma²) of the two losses.
  public private(set) var logVariances = (classification: 0.0, regression: 0.0)

  public init(rate: Float = 0.01) { self.rate = rate }

  public init(parameters: inout ParameterReader) throws {
    rate = try parameters.float("rate", default: 0.01, in: 0...10)
  }

  /// - Throws: `StrategyError` where a loss is negative or not finite.
  public mutating func scales(classification: Float, regression: Float) throws -> LossScales {
    guard classification.isFinite, regression.isFinite, classification >= 0, regression >= 0 else {
      throw StrategyError("uncertainty scaling: losses \(classification) and \(regression) must be finite and not negative")
    }
    let s = logVariances
    let (scaleClassification, scaleRegression) = (exp(-s.classification), exp(-s.regression) / 2)
    logVariances.classification = learned(s.classification, Double(classification) * scaleClassification)
    logVariances.regression = learned(s.regression, Double(regression) * scaleRegression)
    return LossScales(
      classification: Float(scaleClassification), regression: Float(scaleRegression),
      penalty: Float((s.classification + s.regression) / 2))
  }

  private func learned(_ logVariance: Double, _ scaledLoss: Double) -> Double {
    guard scaledLoss > 0 else { return logVariance }
    return min(max(logVariance - Double(rate) * (0.5 - scaledLoss), -10), 10)
  }

  public var state: [String: [Double]] {
    get { ["logVariances": [logVariances.classification, logVariances.regression]] }
    set {
      guard let values = newValue["logVariances"], values.count == 2 else { return }
      logVariances = (values[0], values[1])
    }
  }
}
