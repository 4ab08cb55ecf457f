import CFusedLoss
import Parallel

/// The classification loss of a mini-batch.
public struct ClassificationLossValue: Hashable, Sendable {
  /// Sum of weight · cross entropy.
  public var sum: Double
  public var normalizer: Double
  public var foregroundCount: Int

  /// A mini-batch without anything to divide by has its sum as loss.
  public var value: Double { sum / max(1, normalizer) }
}

/// Weighted binary cross entropy over anchors and classes, with its gradient, in one pass over the logits.
public enum ClassificationLoss {
  /// Elements of a block of a custom weighting: five buffers of this many floats fit into a first-level cache.
  private static let blockElements = 1024

  /// - Parameter gradient: [anchors x classes], overwritten with d sum / d logit, neither normalised nor scaled.
  /// - Throws: `StrategyError` where a logit that counts is not finite, naming anchor and class, or a weight is not.
  public static func evaluate(
    _ batch: ClassificationBatch, weighting: any ElementWeighting, gradient: UnsafeMutableBufferPointer<Float>
  ) throws -> ClassificationLossValue {
    try evaluate(batch, weighting: weighting, gradient: gradient, isa: fused_loss_best_isa())
  }

  /// With the kernels of one instruction set, which the processor must have.
  package static func evaluate(
    _ batch: ClassificationBatch, weighting: any ElementWeighting, gradient: UnsafeMutableBufferPointer<Float>,
    isa: fused_loss_isa
  ) throws -> ClassificationLossValue {
    precondition(gradient.count == batch.logits.count, "gradient and logits differ in size")
    let chunks = Parallel.chunkCount(of: batch.anchorCount, minimumChunk: 64)
    var sums = [Double](repeating: 0, count: chunks)
    var isFinite = [Bool](repeating: true, count: chunks)
    let plan = try Plan(weighting.form, anchorCount: batch.anchorCount)
    sums.withUnsafeMutableBufferPointer { sums in
      isFinite.withUnsafeMutableBufferPointer { isFinite in
        nonisolated(unsafe) let sums = sums
        nonisolated(unsafe) let isFinite = isFinite
        Parallel.forChunks(of: batch.anchorCount, minimumChunk: 64) { chunk, anchors in
          if let plan {
            isFinite[chunk] = plan.run(isa, batch, anchors, gradient, &sums[chunk])
          } else {
            isFinite[chunk] = custom(isa, batch, anchors, weighting, gradient, &sums[chunk])
          }
        }
      }
    }
    let sum = sums.reduce(0, +)
    if isFinite.contains(false) || !sum.isFinite { throw notFinite(batch) }
    return ClassificationLossValue(
      sum: sum, normalizer: weighting.normalizer, foregroundCount: batch.foregroundCount)
  }

  /// A form that the C kernels know.
  private struct Plan {
    var weighting = fused_loss_weighting()
    var anchorWeights: [Float]?

    init?(_ form: WeightingForm, anchorCount: Int) throws {
      switch form {
      case .custom: return nil
      case .uniform: weighting.kind = FUSED_LOSS_UNIFORM
      case .perAnchor(let weights):
        guard weights.count == anchorCount else {
          throw StrategyError("a sampler gave \(weights.count) weights for \(anchorCount) anchors")
        }
        weighting.kind = FUSED_LOSS_UNIFORM
        anchorWeights = weights
      case .focal(let gamma, let positiveAlpha, let negativeAlpha):
        weighting.kind = FUSED_LOSS_FOCAL
        weighting.gamma = gamma
        weighting.positive_alpha = positiveAlpha
        weighting.negative_alpha = negativeAlpha
      }
    }

    func run(
      _ isa: fused_loss_isa, _ batch: ClassificationBatch, _ anchors: Range<Int>,
      _ gradient: UnsafeMutableBufferPointer<Float>, _ sum: inout Double
    ) -> Bool {
      guard
        let logits = batch.logits.baseAddress, let labels = batch.labels.baseAddress, let gradient = gradient.baseAddress
      else { return true }
      let first = anchors.lowerBound * batch.classCount
      // Past the last-level cache, stores need not go through it.
      let streaming = batch.logits.count > 8 << 20
      var weighting = weighting
      func rows(_ weights: UnsafePointer<Float>?) -> Bool {
        fused_loss_rows(
          isa, &weighting, logits + first, labels + anchors.lowerBound, weights, anchors.count, batch.classCount, streaming,
          gradient + first, &sum)
      }
      guard let anchorWeights else { return rows(nil) }
      return anchorWeights.withUnsafeBufferPointer { weights in rows(weights.baseAddress.map { $0 + anchors.lowerBound }) }
    }
  }

  private static func custom(
    _ isa: fused_loss_isa, _ batch: ClassificationBatch, _ anchors: Range<Int>, _ weighting: any ElementWeighting,
    _ gradient: UnsafeMutableBufferPointer<Float>, _ sum: inout Double
  ) -> Bool {
    let classes = batch.classCount
    let anchorsPerBlock = max(1, blockElements / classes)
    let capacity = anchorsPerBlock * classes
    let carriesGradient = weighting.carriesGradient
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: 5 * capacity + anchorsPerBlock) { memory in
      func part(_ index: Int, _ count: Int) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(rebasing: memory[(index * capacity)..<(index * capacity + count)])
      }
      // 1 - p of each anchor's target, which the difference from 1 would lose where p is near it.
      let misses = UnsafeMutableBufferPointer(rebasing: memory[(5 * capacity)...])
      for start in stride(from: anchors.lowerBound, to: anchors.upperBound, by: anchorsPerBlock) {
        let range = start..<min(start + anchorsPerBlock, anchors.upperBound)
        let count = range.count * classes
        let (signed, probabilities, losses) = (part(0, count), part(1, count), part(2, count))
        let (weights, slopes) = (part(3, count), part(4, count))
        let labels = UnsafeBufferPointer(rebasing: batch.labels[range])
        let logits = UnsafeBufferPointer(rebasing: batch.logits[(start * classes)..<(start * classes + count)])
        // CE is softplus(z) with z = -x for a target of 1 and x otherwise.
        for i in 0..<count { signed[i] = logits[i] }
        for (row, label) in labels.enumerated() {
          if label > 0 { signed[row * classes + Int(label) - 1].negate() }
          if label < 0 { for i in (row * classes)..<((row + 1) * classes) { signed[i] = 0 } }
        }
        guard fused_loss_forward(isa, signed.baseAddress, count, probabilities.baseAddress, losses.baseAddress) else {
          return false
        }
        for (row, label) in labels.enumerated() where label > 0 {
          let i = row * classes + Int(label) - 1
          misses[row] = probabilities[i]
          probabilities[i] = 1 - misses[row]
        }
        weights.update(repeating: 0)
        slopes.update(repeating: 0)
        weighting.weigh(
          WeightingBlock(
            anchors: range, classCount: classes, labels: labels, probabilities: UnsafeBufferPointer(probabilities),
            losses: UnsafeBufferPointer(losses), weights: weights, slopes: slopes))
        // d CE / d x = p - t: probabilities become errors, rows of ignored anchors nothing.
        for (row, label) in labels.enumerated() {
          if label > 0 { probabilities[row * classes + Int(label) - 1] = -misses[row] }
          if label < 0 {
            for i in (row * classes)..<((row + 1) * classes) { (weights[i], slopes[i]) = (0, 0) }
          }
        }
        sum += fused_loss_combine(
          isa, probabilities.baseAddress, losses.baseAddress, weights.baseAddress,
          carriesGradient ? slopes.baseAddress : nil, count, gradient.baseAddress.map { $0 + start * classes })
      }
      return true
    }
  }

  private static func notFinite(_ batch: ClassificationBatch) -> StrategyError {
    for anchor in 0..<batch.anchorCount where batch.labels[anchor] >= 0 {
      for classIndex in 0..<batch.classCount {
        let logit = batch.logits[anchor * batch.classCount + classIndex]
        if !logit.isFinite {
          return StrategyError("the logit of anchor \(anchor), class \(classIndex) is \(logit): training has diverged")
        }
      }
    }
    return StrategyError("the classification loss is not finite: training has diverged")
  }
}
