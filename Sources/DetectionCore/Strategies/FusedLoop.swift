import CDetectionKernels

/// Laws that the C kernels know.
struct FusedLoop: LossLoop {
  let batch: ClassificationBatch
  let weighting: Weighting
  let gradient: UnsafeMutableBufferPointer<Float>
  let isa: instruction_set

  func run(_ anchors: Range<Int>) -> Double? {
    guard
      let logits = batch.logits.baseAddress, let labels = batch.labels.baseAddress, let gradient = gradient.baseAddress
    else { return 0 }
    let first = anchors.lowerBound * batch.classCount
    var kernel = fused_loss_weighting()
    kernel.skips_targets = weighting.softTargets != nil
    var bins: [Float] = []
    switch weighting.law {
    case .constant, .custom: kernel.law = FUSED_LOSS_CONSTANT
    case .focal(let gamma, let targetAlpha, let otherAlpha):
      kernel.law = FUSED_LOSS_FOCAL
      kernel.gamma = gamma
      kernel.target_alpha = targetAlpha
      kernel.other_alpha = otherAlpha
    case .bins(let weights):
      kernel.law = FUSED_LOSS_BINS
      kernel.bin_count = weights.count
      bins = weights
    }
    var sum = 0.0
    let isFinite = bins.withUnsafeBufferPointer { bins in
      (weighting.anchorWeights ?? []).withUnsafeBufferPointer { anchorWeights in
        (weighting.otherClassWeights ?? []).withUnsafeBufferPointer { classWeights in
          kernel.bin_weights = bins.baseAddress
          kernel.other_class_weights = weighting.otherClassWeights == nil ? nil : classWeights.baseAddress
          return fused_loss_rows(
            isa, &kernel, logits + first, labels + anchors.lowerBound,
            weighting.anchorWeights == nil ? nil : anchorWeights.baseAddress.map { $0 + anchors.lowerBound },
            anchors.count, batch.classCount, batch.exceedsCaches, gradient + first, &sum)
        }
      }
    }
    guard isFinite else { return nil }
    if let targets = weighting.softTargets { sum += softTerms(of: anchors, targets) }
    return sum
  }

  /// The few elements that the kernels skipped.
  private func softTerms(of anchors: Range<Int>, _ targets: SoftTargets) -> Double {
    var sum = 0.0
    for anchor in anchors where batch.labels[anchor] > 0 {
      let factor = Double(weighting.anchorWeights?[anchor] ?? 1)
      guard factor != 0 else { continue }
      let element = anchor * batch.classCount + Int(batch.labels[anchor]) - 1
      let term = SoftTerm(logit: batch.logits[element], target: targets.values[anchor])
      let (loss, slope) = term.weighted(by: weighting.law, weight: targets.weights?[anchor])
      sum += factor * loss
      gradient[element] = Float(factor * slope)
    }
    return sum
  }
}

extension ClassificationBatch {
  /// Past the last-level cache, gradient stores need not go through it.
  var exceedsCaches: Bool { logits.count > 8 << 20 }
}
