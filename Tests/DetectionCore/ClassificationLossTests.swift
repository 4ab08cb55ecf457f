import CDetectionKernels
import DetectionCore
import Foundation
import TestSupport
import Testing

/// The fused kernels of every instruction set that the processor has.
@Suite struct ClassificationLossTests {
  /// Sums to 1e-6, gradients element by element to 2e-5 of their own size.
  @Test(arguments: instruction_set.available)
  func sumAndGradientFollowTheFormulas(isa: instruction_set) throws {
    for (anchors, classes) in [(1, 1), (7, 1), (40, 3), (300, 4), (33, 16), (70, 17), (150, 80), (3, 1500)] {
      let fixture = LossFixture(anchors: anchors, classes: classes, seed: UInt64(anchors * classes))
      for form in LossForm.all(anchors: anchors, classes: classes) {
        let (value, gradient) = try fixture.evaluate(form.weighting, on: isa)
        let expected = fixture.reference(form.reference)
        let name = "\(form.testDescription), \(anchors) x \(classes)"
        #expect(abs(value.sum - expected.sum) <= 1e-6 * max(1e-3, expected.sum), "\(name): \(value.sum), not \(expected.sum)")
        let wrong = gradient.indices.first {
          !(abs(Double(gradient[$0]) - expected.gradient[$0]) <= 2e-5 * abs(expected.gradient[$0]) + 1e-37)
        }
        if let wrong {
          Issue.record("\(name): gradient[\(wrong)] is \(gradient[wrong]), not \(expected.gradient[wrong]), logit \(fixture.logits[wrong])")
        }
      }
    }
  }

  @Test(arguments: instruction_set.available)
  func gradientsAreDifferencesOfTheSum(isa: instruction_set) throws {
    var random = SplitMix(seed: 9)
    let fixture = LossFixture(
      logits: (0..<55).map { _ in random.float(-4...4) }, labels: [0, 3, -1, 0, 5, 1, 0, 2, -1, 0, 4])
    for form in LossForm.all(anchors: 11, classes: 5) where form.isWholeGradient {
      let gradient = try fixture.evaluate(form.weighting, on: isa).gradient
      for i in gradient.indices {
        let step: Float = 1.0 / 128
        var (above, below) = (fixture, fixture)
        above.logits[i] += step
        below.logits[i] -= step
        let rise = try above.evaluate(form.weighting, on: isa).value.sum - below.evaluate(form.weighting, on: isa).value.sum
        let numeric = rise / Double(above.logits[i] - below.logits[i])
        #expect(abs(numeric - Double(gradient[i])) < 1e-3, "\(form.testDescription)[\(i)]")
      }
    }
  }

  @Test(arguments: instruction_set.available)
  func crossEntropyAndFocalLossArePyTorchs(isa: instruction_set) throws {
    let golden = try TorchvisionGoldens.load().classification
    let fixture = LossFixture(logits: golden.logits, labels: golden.labels)
    func check(_ form: LossForm, _ sum: Double, _ gradient: [Float]) throws {
      let ours = try fixture.evaluate(form.weighting, on: isa)
      #expect(abs(ours.value.sum - sum) < 1e-6 * sum, "\(form.testDescription)")
      for (a, b) in zip(ours.gradient, gradient) { #expect(abs(a - b) < 1e-6 + 1e-5 * abs(b), "\(form.testDescription)") }
    }
    try check(.uniform, golden.uniform.sum, golden.uniform.gradient)
    for focal in golden.focal { try check(.focal(gamma: focal.gamma, alpha: focal.alpha), focal.sum, focal.gradient) }
  }

  @Test(arguments: instruction_set.available)
  func ignoredAnchorsHaveNoLossAndNoGradient(isa: instruction_set) throws {
    for form in LossForm.all(anchors: 9, classes: 3) {
      let (value, gradient) = try LossFixture(logits: [Float](repeating: .nan, count: 27), labels: Array(repeating: -1, count: 9))
        .evaluate(form.weighting, on: isa)
      #expect(value.sum == 0 && gradient.allSatisfy { $0 == 0 }, "\(form.testDescription)")
    }
  }

  @Test(arguments: instruction_set.available)
  func aLogitThatIsNoNumberIsAnError(isa: instruction_set) throws {
    let clean = LossFixture(anchors: 25, classes: 7, seed: 4)
    for bad in [Float.nan, .infinity, -.infinity] {
      for element in clean.logits.indices where !clean.isIgnored(element) && element / 7 % 5 != 1 {
        var fixture = clean
        fixture.logits[element] = bad
        for form in LossForm.all(anchors: 25, classes: 7) {
          let error = try? thrown(StrategyError.self) { try fixture.evaluate(form.weighting, on: isa) }
          #expect(error?.description.contains("anchor \(element / 7), class \(element % 7) is \(bad)") == true)
        }
      }
    }
  }

  @Test func weightsThatAreNoNumbersAreAnError() {
    let fixture = LossFixture(logits: [1, 2, 3], labels: [0, 1, 0])
    for bad in [Float.nan, .infinity, -1] {
      for weighting in [
        Weighting(anchorWeights: [1, bad, 1], normalizer: 1), Weighting(otherClassWeights: [bad], normalizer: 1),
        Weighting(law: .bins([1, bad]), normalizer: 1), Weighting(law: .focal(gamma: bad), normalizer: 1),
        Weighting(softTargets: SoftTargets(values: [0, bad, 0]), normalizer: 1),
        Weighting(softTargets: SoftTargets(values: [0, 1, 0], weights: [bad, 1, 1]), normalizer: 1),
        Weighting(normalizer: Double(bad)),
      ] {
        #expect(throws: StrategyError.self) { try fixture.evaluate(weighting, on: INSTRUCTION_SET_BASELINE) }
      }
    }
    #expect(throws: StrategyError.self) {
      try fixture.evaluate(Weighting(law: .bins([Float](repeating: 1, count: 256)), normalizer: 1), on: INSTRUCTION_SET_BASELINE)
    }
    let error = try? thrown(StrategyError.self) {
      try fixture.evaluate(Weighting(anchorWeights: [1, 1], normalizer: 1), on: INSTRUCTION_SET_BASELINE)
    }
    #expect(error?.description == "a sampler: 2 anchor weights for 3 anchors")
  }

  @Test(arguments: instruction_set.available)
  func anEmptyBatchHasNoLoss(isa: instruction_set) throws {
    for form in LossForm.all(anchors: 0, classes: 1) {
      let (value, gradient) = try LossFixture(logits: [], labels: []).evaluate(form.weighting, on: isa)
      #expect(value.sum == 0 && value.value == 0 && gradient.isEmpty)
    }
  }

  @Test func theValueIsTheSumOverItsNormalizer() throws {
    let fixture = LossFixture(logits: [0, 0, 0, 0], labels: [1, 0])
    let value = try fixture.evaluate(Weighting(normalizer: 3), on: INSTRUCTION_SET_BASELINE).value
    #expect(abs(value.sum - 4 * log(2)) < 1e-6 && abs(value.value - 4 * log(2) / 3) < 1e-6)
  }

  @Test func theSameBatchGivesTheSameBits() throws {
    let fixture = LossFixture(anchors: 3000, classes: 20, seed: 8)
    for form in LossForm.all(anchors: 3000, classes: 20) {
      let first = try fixture.evaluate(form.weighting, on: best_instruction_set())
      for _ in 0..<3 {
        let again = try fixture.evaluate(form.weighting, on: best_instruction_set())
        #expect(again.value.sum == first.value.sum && again.gradient == first.gradient)
      }
    }
  }

  @Test func batchesKnowTheirSizes() {
    let logits = [Float](repeating: 0, count: 12)
    let labels: [Int32] = [0, 2, -1, 1, 3, 0]
    logits.withUnsafeBufferPointer { logits in
      labels.withUnsafeBufferPointer { labels in
        let batch = ClassificationBatch(
          logits: UnsafeBufferPointer(rebasing: logits[0..<12]), labels: UnsafeBufferPointer(rebasing: labels[0..<4]),
          overlaps: UnsafeBufferPointer(rebasing: logits[0..<4]), imageOffsets: [0, 1, 4], classCount: 3)
        #expect(batch.anchorCount == 4 && batch.imageCount == 2 && batch.foregroundCount == 2)
      }
    }
  }
}
