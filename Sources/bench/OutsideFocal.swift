import DetectionCore

/// Focal Loss with gamma 2 as somebody would write it who cannot add a law to the kernels: see Plugins/Template.
struct OutsideFocal: Sampler {
  static let name = "outside-focal"
  static let summary = "Focal Loss by way of a law of one's own"
  static let source = "Lin et al. 2017, arXiv 1708.02002, equation 5"

  init(parameters: inout ParameterReader) throws {}

  func weighting(for batch: ClassificationBatch, step: Int) -> Weighting {
    Weighting(law: .custom(Law()), normalizer: Double(batch.foregroundCount))
  }

  private struct Law: ElementWeighting {
    var carriesGradient: Bool { true }

    func weigh(_ block: WeightingBlock) {
      let (errors, weights, slopes) = (block.errors, block.weights, block.slopes)
      for i in errors.indices {
        weights[i] = 0.75 * errors[i] * errors[i]
        slopes[i] = 1.5 * errors[i]
      }
      for anchor in block.labels.indices {
        guard let own = block.target(ofAnchor: anchor) else { continue }
        (weights[own], slopes[own]) = (0.25 * errors[own] * errors[own], 0.5 * errors[own])
      }
    }
  }
}
