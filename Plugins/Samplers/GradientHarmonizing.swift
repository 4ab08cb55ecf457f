import DetectionCore

/// GHM-C: an element weighs the less the more elements have a gradient norm |p - t| like its own, so that neither the
/// mass of easy examples nor outliers rule the gradient.
///
/// Li et al., "Gradient Harmonized Single-stage Detector", 2019, equations 9 and 12: with M bins of which n hold
/// anything, and R_k elements in bin k, weight = E / (n·R_k), E being all elements; loss = sum of weighted cross
/// entropies / E. With momentum m, S_k = m·S_k + (1 - m)·R_k replaces R_k (equation 13), from S_k = 0 on and only where
/// R_k > 0, as in mmdetection. Weights are numbers, through which no gradient flows.
public struct GradientHarmonizing: Sampler, CheckpointedStrategy {
  public static let name = "ghm"
  public static let summary = "GHM-C: weights inverse to the density of gradient norms"
  public static let source = "Li et al. 2019, arXiv 1811.05181, equations 9, 12, 13; mmdetection's GHMC"
  public static let parameters = [
    ParameterDescription("bins", default: "30", "unit regions of the gradient norm, 1...255"),
    ParameterDescription("momentum", default: "0.75", "of the moving counts, 0...0.999; 0: each mini-batch by itself"),
  ]

  public let bins: Int
  public let momentum: Float
  private var counts: [Double]

  public init(bins: Int = 30, momentum: Float = 0.75) {
    self.bins = bins
    self.momentum = momentum
    counts = Array(repeating: 0, count: bins)
  }

  public init(parameters: inout ParameterReader) throws {
    self.init(
      bins: try parameters.int("bins", default: 30, in: ErrorHistogram.binCounts),
      momentum: try parameters.float("momentum", default: 0.75, in: 0...0.999))
  }

  /// - Throws: `StrategyError` where a logit is not finite.
  public mutating func weighting(for batch: ClassificationBatch, step: Int) throws -> Weighting {
    let found = try ErrorHistogram.count(batch, bins: bins)
    let (total, filled) = (found.reduce(0, +), found.count { $0 > 0 })
    var weights = [Float](repeating: 0, count: bins)
    for (k, count) in found.enumerated() where count > 0 {
      counts[k] = Double(momentum) * counts[k] + (1 - Double(momentum)) * count
      weights[k] = Float(total / (counts[k] * Double(filled)))
    }
    let elements = batch.labels.reduce(0) { $0 + ($1 >= 0 ? 1 : 0) } * batch.classCount
    return Weighting(law: .bins(weights), normalizer: Double(elements))
  }

  public var state: [String: [Double]] {
    get { ["counts": counts] }
    set { if let value = newValue["counts"], value.count == bins { counts = value } }
  }
}
