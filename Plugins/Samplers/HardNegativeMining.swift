import DetectionCore

/// SSD's hard negative mining: all foreground, and three times as many background anchors, those of largest loss in each
/// image. An image without foreground has no background either.
///
/// Liu et al., "SSD", 2016, section 2.2. The sum is divided by the foreground anchors, as in the paper's equation 1.
public struct HardNegativeMining: Sampler {
  public static let name = "ssd"
  public static let summary = "all foreground, and the hardest background at a fixed ratio"
  public static let source = "Liu et al. 2016, arXiv 1512.02325, section 2.2; mmdetection's SSDHead"
  public static let parameters = [
    ParameterDescription("ratio", default: "3", "background anchors for each foreground anchor of the image, 0...10000")
  ]

  public let ratio: Float

  public init(ratio: Float = 3) { self.ratio = ratio }

  public init(parameters: inout ParameterReader) throws {
    ratio = try parameters.float("ratio", default: 3, in: 0...10_000)
  }

  /// - Throws: `StrategyError` where a logit is not finite.
  public func weighting(for batch: ClassificationBatch, step: Int) throws -> Weighting {
    let losses = try batch.anchorLosses()
    var weighting = Weighting.sampled(from: batch) { anchors in
      let negatives = Int(ratio * Float(anchors.foreground.count))
      return anchors.foreground + Selection.largest(negatives, of: anchors.background, by: losses)
    }
    weighting.normalizer = Double(batch.foregroundCount)
    return weighting
  }
}
