import DetectionCore
import Foundation
import Samplers
import TestSupport
import Testing

/// Values and gradients against the PyTorch goldens, and gradients against differences of the loss.
@Suite struct SoftWeightingTests {
  private func check(_ batch: MiniBatch, _ sampler: some Sampler, _ value: Double, _ gradient: [Float]) throws {
    let ours = try batch.loss(sampler)
    expectEqual(
      value: ours.value.value, gradient: ours.gradient, normalizer: ours.value.normalizer, golden: (value, gradient),
      "\(sampler)")
  }

  @Test func qualityFocalLossIsMMDetections() throws {
    let golden = try LossGoldens.load()
    for q in golden.qualityFocal { try check(golden.miniBatch, QualityFocalLoss(beta: q.beta), q.value, q.gradient) }
  }

  @Test func varifocalLossIsMMDetections() throws {
    let golden = try LossGoldens.load()
    for v in golden.varifocal {
      try check(golden.miniBatch, VarifocalLoss(alpha: v.alpha, gamma: v.gamma), v.value, v.gradient)
    }
  }

  @Test func classBalancedLossIsThePapers() throws {
    let golden = try LossGoldens.load()
    for c in golden.classBalanced {
      try check(golden.miniBatch, ClassBalancedLoss(beta: c.beta, gamma: c.gamma), c.value, c.gradient)
    }
  }

  @Test func equalizationLossIsTheAuthors() throws {
    let golden = try LossGoldens.load()
    for e in golden.equalization {
      try check(golden.miniBatch, EqualizationLoss(lambda: e.threshold), e.value, e.gradient)
    }
  }

  /// Samplers whose gradient is that of their loss: all weights are constants, or the gradient flows through them.
  @Test(arguments: [
    NoSampling(), FocalLoss(), QualityFocalLoss(), QualityFocalLoss(beta: 1.5), VarifocalLoss(),
    ClassBalancedLoss(beta: 0.9), ClassBalancedLoss(beta: 0.9, gamma: 2), EqualizationLoss(lambda: 0.1),
  ] as [any Sampler])
  func gradientsAreDifferencesOfTheLoss(sampler: any Sampler) throws {
    let batch = MiniBatch.random(anchors: 12, seed: 3)
    var sampler = sampler
    let gradient = try batch.loss(&sampler).gradient
    for i in gradient.indices {
      var (above, below) = (batch, batch)
      above.logits[i] += 1.0 / 128
      below.logits[i] -= 1.0 / 128
      let rise = try above.loss(&sampler).value.sum - below.loss(&sampler).value.sum
      let numeric = rise / Double(above.logits[i] - below.logits[i])
      #expect(abs(numeric - Double(gradient[i])) < 1e-3, "\(type(of: sampler).name)[\(i)]")
    }
  }

  @Test func softTargetsNeedPredictedBoxes() {
    var batch = MiniBatch.random(seed: 1)
    batch.qualities = nil
    for sampler in [QualityFocalLoss(), VarifocalLoss()] as [any Sampler] {
      let error = try? thrown(StrategyError.self) { try batch.weighting(sampler) }
      #expect(error?.description.contains("no predicted boxes") == true)
    }
  }

  @Test func weightsOfClassesNeedCounts() {
    var batch = MiniBatch.random(seed: 1)
    for statistics in [nil, TrainingStatistics(classCount: 5)] {
      batch.statistics = statistics
      for sampler in [ClassBalancedLoss(), EqualizationLoss()] as [any Sampler] {
        let error = try? thrown(StrategyError.self) { try batch.weighting(sampler) }
        #expect(error?.description.contains("counted") == true)
      }
    }
  }

  /// Equation 6: beta = 0 weighs nothing, beta towards 1 weighs by the inverse count.
  @Test func effectiveNumbersLieBetweenNoneAndInverseCounts() {
    let statistics = TrainingStatistics(
      anchorCount: 9, foregroundCounts: [1, 1, 1], imageCount: 1, objectCounts: [100, 10, 0])
    #expect(ClassBalancedLoss(beta: 0).classWeights(for: statistics) == [1, 1, 1])
    let inverse = ClassBalancedLoss(beta: 0.9999999).classWeights(for: statistics)
    #expect(abs(inverse[1] / inverse[0] - 10) < 0.01 && inverse[2] == 1)
    let between = ClassBalancedLoss(beta: 0.99).classWeights(for: statistics)
    #expect(between[0] < between[1] && between[1] / between[0] < 10 && abs(between[0] + between[1] - 2) < 1e-5)
  }

  @Test func withPerfectBoxesQualityFocalLossIsFocalLoss() throws {
    var batch = MiniBatch.random(seed: 8)
    batch.qualities = batch.labels.map { $0 > 0 ? 1 : 0 }
    let (quality, focal) = (try batch.loss(QualityFocalLoss()), try batch.loss(FocalLoss(gamma: 2, alpha: 0.5)))
    #expect(abs(quality.value.sum - 2 * focal.value.sum) < 1e-5 * quality.value.sum)
    for (a, b) in zip(quality.gradient, focal.gradient) { #expect(abs(a - 2 * b) < 1e-5) }
  }

  @Test func varifocalLossOfHopelessBoxesHasATinyWeight() throws {
    var batch = MiniBatch(logits: [0], labels: [1], classCount: 1)
    batch.qualities = [0]
    let value = try batch.loss(VarifocalLoss()).value
    #expect(abs(value.sum - 1e-6 * log(2)) < 1e-12)
  }
}
