import DetectionCore

/// Asymmetric focusing: cross entropy in full where an anchor's own class is concerned, p^gamma·CE elsewhere, the
/// gradient flowing through the weight too.
///
/// Ben-Baruch, Ridnik et al., "Asymmetric Loss For Multi-Label Classification", 2020, with gamma_+ = 0 and without
/// shifting probabilities. The sum is divided by the foreground anchors.
public struct AsymmetricFocus: Sampler {
  public static let name = "asymmetric"
  public static let summary = "down-weights easy negatives only"
  public static let source = "Ben-Baruch et al. 2020, arXiv 2009.14119, asymmetric focusing"
  public static let parameters = [
    ParameterDescription("gamma", default: "2", "focusing exponent of negatives, a whole number from 1 to 8")
  ]

  public let gamma: Int

  public init(gamma: Int = 2) { self.gamma = gamma }

  public init(parameters: inout ParameterReader) throws {
    gamma = try parameters.int("gamma", default: 2, in: 1...8)
  }

  public func weighting(for batch: ClassificationBatch, step: Int) -> Weighting {
    Weighting(law: .custom(Law(gamma: gamma)), normalizer: Double(batch.foregroundCount))
  }

  /// Plain loops over a block's buffers become vector instructions.
  private struct Law: ElementWeighting {
    let gamma: Int
    var carriesGradient: Bool { true }

    func weigh(_ block: WeightingBlock) {
      let (errors, weights, slopes) = (block.errors, block.weights, block.slopes)
      // weight = p^gamma, slope = gamma·p^(gamma - 1)
      weights.update(repeating: 1)
      for _ in 1..<gamma {
        for i in errors.indices { weights[i] *= errors[i] }
      }
      for i in errors.indices {
        slopes[i] = Float(gamma) * weights[i]
        weights[i] *= errors[i]
      }
      for anchor in block.labels.indices {
        guard let target = block.target(ofAnchor: anchor) else { continue }
        (weights[target], slopes[target]) = (1, 0)
      }
    }
  }
}
