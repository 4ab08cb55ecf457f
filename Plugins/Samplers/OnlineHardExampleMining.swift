import DetectionCore

/// Online hard example mining: of each image only the anchors of largest loss are trained.
///
/// Shrivastava et al., "Training Region-based Object Detectors with Online Hard Example Mining", 2016, section 4. The
/// paper takes the B/N = 64 hardest of an image, foreground or not (`pool: joint`, `count: 64`); mmdetection's
/// OHEMSampler, whose defaults these are, mines foreground up to a fraction and fills up with background (`separate`).
/// An anchor's loss is its unweighted cross entropy over all classes; the paper's suppression of near duplicates among
/// regions of interest is left out. The sum is divided by the anchors taken.
public struct OnlineHardExampleMining: Sampler {
  public static let name = "ohem"
  public static let summary = "the anchors of largest loss in each image"
  public static let source = "Shrivastava et al. 2016, arXiv 1604.03540, section 4; mmdetection's OHEMSampler"
  public static let parameters = [
    ParameterDescription("count", default: "512", "anchors taken from each image, 1...1000000"),
    ParameterDescription("positiveFraction", default: "0.25", "largest share of foreground among them (separate), 0...1"),
    ParameterDescription("pool", default: "separate", "separate: foreground and background by themselves; joint: all together"),
  ]

  public enum Pool: String, Sendable, CaseIterable { case separate, joint }

  public let count: Int
  public let positiveFraction: Float
  public let pool: Pool

  public init(count: Int = 512, positiveFraction: Float = 0.25, pool: Pool = .separate) {
    self.count = count
    self.positiveFraction = positiveFraction
    self.pool = pool
  }

  public init(parameters: inout ParameterReader) throws {
    count = try parameters.int("count", default: 512, in: 1...1_000_000)
    positiveFraction = try parameters.float("positiveFraction", default: 0.25, in: 0...1)
    pool = try parameters.choice("pool", default: .separate)
  }

  /// - Throws: `StrategyError` where a logit is not finite.
  public func weighting(for batch: ClassificationBatch, step: Int) throws -> Weighting {
    let losses = try batch.anchorLosses()
    return .sampled(from: batch) { anchors in
      switch pool {
      case .joint: return Selection.largest(count, of: anchors.foreground + anchors.background, by: losses)
      case .separate:
        let positives = Selection.largest(Int(Float(count) * positiveFraction), of: anchors.foreground, by: losses)
        return positives + Selection.largest(count - positives.count, of: anchors.background, by: losses)
      }
    }
  }
}
