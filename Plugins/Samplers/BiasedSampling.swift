import DetectionCore

/// Mini-batch biased sampling: `count` anchors an image drawn at random, at most a fraction of them foreground, the rest
/// background; where foreground is short, background fills up.
///
/// Ren et al., "Faster R-CNN", 2015, section 3.1.3: 256 anchors, up to half of them foreground. The sum is divided by
/// the anchors drawn.
public struct BiasedSampling: Sampler {
  public static let name = "biased"
  public static let summary = "a random mini-batch of anchors with a bounded share of background"
  public static let source = "Ren et al. 2015, arXiv 1506.01497, section 3.1.3"
  public static let parameters = [
    ParameterDescription("count", default: "256", "anchors drawn from each image, 1...1000000"),
    ParameterDescription("positiveFraction", default: "0.5", "largest share of foreground among them, 0...1"),
    ParameterDescription("seed", default: "0", "of the draw, 0 or more"),
  ]

  public let count: Int
  public let positiveFraction: Float
  public let seed: Int

  public init(count: Int = 256, positiveFraction: Float = 0.5, seed: Int = 0) {
    self.count = count
    self.positiveFraction = positiveFraction
    self.seed = seed
  }

  public init(parameters: inout ParameterReader) throws {
    count = try parameters.int("count", default: 256, in: 1...1_000_000)
    positiveFraction = try parameters.float("positiveFraction", default: 0.5, in: 0...1)
    seed = try parameters.int("seed", default: 0, in: 0...(.max))
  }

  public func weighting(for batch: ClassificationBatch, step: Int) -> Weighting {
    .sampled(from: batch) { anchors in
      var generator = SeededGenerator(seed: UInt64(seed), UInt64(step), UInt64(anchors.number))
      let positives = Selection.random(
        Int(Float(count) * positiveFraction), of: anchors.foreground, using: &generator)
      return positives + Selection.random(count - positives.count, of: anchors.background, using: &generator)
    }
  }
}
