import DetectionCore

/// GHM-R: an authentic smooth L1 loss, √(d² + mu²) - mu, whose gradient norm g = |d| / √(d² + mu²) tells all differences
/// d apart, weighed the less the more deltas have a norm like their own.
///
/// Li et al., "Gradient Harmonized Single-stage Detector", 2019, equations 14 to 18. Bins, momentum and normaliser are
/// GHM-C's: with E deltas (four a foreground anchor), n bins that hold any and R_k (with momentum: S_k) in bin k, weight
/// = E / (n·R_k), and the sum is divided by E. The authors multiply the loss by 10 (`loss.regressionWeight: 10`).
public struct GradientHarmonizingRegression: RegressionLoss, CheckpointedStrategy {
  public static let name = "ghm"
  public static let summary = "GHM-R: smooth differences, weights inverse to the density of gradient norms"
  public static let source = "Li et al. 2019, arXiv 1811.05181, equations 14 to 18; mmdetection's GHMR"
  public static let parameters = [
    ParameterDescription("mu", default: "0.02", "where it turns linear, in encoded deltas, 1e-6...100"),
    ParameterDescription("bins", default: "10", "unit regions of the gradient norm, 1...1000"),
    ParameterDescription("momentum", default: "0.7", "of the moving counts, 0...0.999; 0: each mini-batch by itself"),
  ]

  public let mu: Float
  public let bins: Int
  public let momentum: Float
  private var counts: [Double]

  public init(mu: Float = 0.02, bins: Int = 10, momentum: Float = 0.7) {
    self.mu = mu
    self.bins = bins
    self.momentum = momentum
    counts = Array(repeating: 0, count: bins)
  }

  public init(parameters: inout ParameterReader) throws {
    self.init(
      mu: try parameters.float("mu", default: 0.02, in: 1e-6...100),
      bins: try parameters.int("bins", default: 10, in: 1...1000),
      momentum: try parameters.float("momentum", default: 0.7, in: 0...0.999))
  }

  /// - Throws: `StrategyError` where a difference is not finite.
  public mutating func evaluate(
    _ batch: RegressionBatch, gradient: UnsafeMutableBufferPointer<Float>
  ) throws -> RegressionLossValue {
    var found = [Double](repeating: 0, count: bins)
    for anchor in batch.foreground {
      for i in (4 * anchor)..<(4 * anchor + 4) {
        let difference = batch.deltas[i] - batch.targets[i]
        guard difference.isFinite else {
          throw StrategyError("delta \(i % 4) of anchor \(anchor) is \(batch.deltas[i]): training has diverged")
        }
        found[bin(difference)] += 1
      }
    }
    try batch.processes.sum(&found)
    let (total, filled) = (found.reduce(0, +), found.count { $0 > 0 })
    var weights = [Float](repeating: 0, count: bins)
    for (k, count) in found.enumerated() where count > 0 {
      counts[k] = Double(momentum) * counts[k] + (1 - Double(momentum)) * count
      weights[k] = Float(total / (counts[k] * Double(filled)))
    }
    let sum = batch.sum(gradient: gradient) { d in
      let (root, weight) = ((d * d + mu * mu).squareRoot(), weights[bin(d)])
      return (weight * (root - mu), weight * d / root)
    }
    return RegressionLossValue(sum: sum, normalizer: Double(4 * batch.foreground.count))
  }

  private func bin(_ difference: Float) -> Int {
    let norm = abs(difference) / (difference * difference + mu * mu).squareRoot()
    return min(Int(norm * Float(bins)), bins - 1)
  }

  public var state: [String: [Double]] {
    get { ["counts": counts] }
    set { if let value = newValue["counts"], value.count == bins { counts = value } }
  }
}
