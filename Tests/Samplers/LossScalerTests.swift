import DetectionCore
import Foundation
import LossScalers
import Testing

@Suite struct UnscaledTests {
  @Test func wIsOneWhateverTheLosses() throws {
    var scaler = Unscaled()
    for (classification, regression) in [(1, 2), (1e9, 1e-9), (0, 0), (0, 3)] as [(Float, Float)] {
      #expect(try scaler.w(classification, regression) == 1)
    }
  }
}

@Suite struct GuidedLossScalingTests {
  @Test func theScaledLossHasTheRegressionLossSize() throws {
    var scaler = GuidedLossScaling()
    for (classification, regression) in [(2, 0.5), (1e4, 0.3), (0.01, 1.2)] as [(Float, Float)] {
      let w = try scaler.w(classification, regression)
      #expect(w == regression / classification)
      #expect(abs(w * classification - regression) < 1e-6 * regression)
    }
  }

  @Test func aBatchWithoutEitherLossKeepsTheLastScale() throws {
    var scaler = GuidedLossScaling()
    #expect(try scaler.w(5, 0) == 1, "1 before there is any")
    #expect(try scaler.w(4, 1) == 0.25)
    #expect(try scaler.w(5, 0) == 0.25)
    #expect(try scaler.w(0, 5) == 0.25)
    #expect(try scaler.w(0, 0) == 0.25)
    #expect(try scaler.w(1e-30, 1e30) == 0.25, "a ratio past the largest float")
    #expect(try scaler.w(2, 1) == 0.5)
  }

  @Test func lossesThatCannotBeAreErrors() {
    var scaler = GuidedLossScaling()
    for (classification, regression) in [(.nan, 1), (1, .nan), (.infinity, 1), (1, .infinity), (-1, 1), (1, -1)] as [(Float, Float)] {
      #expect(throws: StrategyError.self) { try scaler.w(classification, regression) }
    }
  }

  @Test func theStateSurvivesACheckpoint() throws {
    var scaler = GuidedLossScaling()
    _ = try scaler.w(3, 1)
    var resumed = GuidedLossScaling()
    resumed.state = scaler.state
    #expect(try resumed.w(1, 0) == Float(1) / 3)
  }
}

@Suite struct GuidedVariantTests {
  @Test func aBoundCutsWOffAndChangesNothingBelowIt() throws {
    var (bounded, guided) = (BoundedGuidedScaling(maximum: 3), GuidedLossScaling())
    for (classification, regression) in [(2, 1), (1, 2.5), (0.1, 5), (1e-20, 1), (5, 0), (4, 1)] as [(Float, Float)] {
      #expect(try bounded.w(classification, regression) == min(3, try guided.w(classification, regression)))
    }
  }

  @Test func aFrozenScaleStaysTheLastOfItsSteps() throws {
    var scaler = FrozenGuidedScaling(steps: 3)
    let ratios = try [(2, 1), (4, 1), (5, 1), (1, 100), (1, 7), (0, 0)].map { try scaler.w($0.0, $0.1) }
    #expect(ratios == [0.5, 0.25, 0.2, 0.2, 0.2, 0.2])
    var resumed = FrozenGuidedScaling(steps: 3)
    resumed.state = scaler.state
    #expect(try resumed.w(1, 9) == 0.2)
  }

  @Test func lossesThatCannotBeAreErrorsWhileWIsGuided() {
    var (frozen, bounded, learned) = (FrozenGuidedScaling(), BoundedGuidedScaling(), LearnedGuidedScaling())
    for (classification, regression) in [(.nan, 1), (1, .infinity), (-1, 1)] as [(Float, Float)] {
      #expect(throws: StrategyError.self) { try frozen.w(classification, regression) }
      #expect(throws: StrategyError.self) { try bounded.w(classification, regression) }
      #expect(throws: StrategyError.self) { try learned.w(classification, regression) }
    }
  }

  /// sigma² = L is where L / (2·sigma²) + log(sigma) is lowest.
  @Test func learnedSigmasApproachTheLosses() throws {
    var scaler = LearnedGuidedScaling(steps: 1, rate: 0.05)
    for _ in 0..<3000 { _ = try scaler.scales(classification: 8, regression: 0.25) }
    #expect(abs(scaler.sigmas.classification - 0.5) < 1e-3, "w was frozen at 1/32")
    #expect(abs(scaler.sigmas.regression - 0.5) < 1e-3)
  }

  /// By central differences of the total loss.
  @Test func aSigmaStepsAgainstItsGradient() throws {
    func total(_ sigmas: [Double], _ w: Double, _ losses: [Double]) -> Double {
      w * losses[0] / (2 * sigmas[0] * sigmas[0]) + losses[1] / (2 * sigmas[1] * sigmas[1]) + log(sigmas[0] * sigmas[1])
    }
    var scaler = LearnedGuidedScaling(steps: 2, rate: 0.1)
    for losses in [[3, 0.7], [2, 0.4], [1.5, 0.6], [0.3, 0.2]] {
      let before = [scaler.sigmas.classification, scaler.sigmas.regression]
      let scales = try scaler.scales(classification: Float(losses[0]), regression: Float(losses[1]))
      let w = Double(scales.classification) * 2 * before[0] * before[0]
      let sum = Double(scales.classification) * losses[0] + Double(scales.regression) * losses[1] + Double(scales.penalty)
      #expect(abs(sum - total(before, w, losses)) < 1e-5)
      for (i, after) in [scaler.sigmas.classification, scaler.sigmas.regression].enumerated() {
        var (up, down) = (before, before)
        up[i] += 1e-5
        down[i] -= 1e-5
        let slope = (total(up, w, losses) - total(down, w, losses)) / 2e-5
        #expect(abs(after - (before[i] - 0.1 * slope)) < 1e-5)
      }
    }
    var resumed = LearnedGuidedScaling(steps: 2, rate: 0.1)
    resumed.state = scaler.state
    #expect(try resumed.scales(classification: 1, regression: 1) == scaler.scales(classification: 1, regression: 1))
  }
}

@Suite struct ConstantScaleTests {
  @Test func wIsWhatWasAskedFor() throws {
    let scaler = ConstantScale(w: 0.1)
    for (classification, regression) in [(1, 2), (0, 0), (0, 3), (.nan, 1)] as [(Float, Float)] {
      #expect(scaler.scales(classification: classification, regression: regression) == LossScales(classification: 0.1))
    }
  }
}

@Suite struct UncertaintyScalingTests {
  /// Scales, total and the log variances' steps against autograd; the fourth mini-batch has no foreground.
  @Test func scalesAndVariancesArePyTorchs() throws {
    let golden = try LossGoldens.load().uncertainty
    var scaler = UncertaintyScaling(rate: golden.rate)
    for step in golden.steps {
      let (classification, regression) = (step.losses[0], step.losses[1])
      let scales = try scaler.scales(classification: classification, regression: regression)
      #expect(abs(Double(scales.classification) - step.scales[0]) < 1e-6)
      #expect(abs(Double(scales.regression) - step.scales[1]) < 1e-6)
      let total = scales.classification * classification + scales.regression * regression + scales.penalty
      #expect(abs(Double(total) - step.total) < 1e-5)
    }
    #expect(abs(scaler.logVariances.classification - golden.logVariances[0]) < 1e-6)
    #expect(abs(scaler.logVariances.regression - golden.logVariances[1]) < 1e-6)
  }

  /// With constant losses the total is lowest where exp(-s_cls)·L_cls = exp(-s_reg)·L_reg / 2 = 1/2.
  @Test func scaledLossesApproachOneHalf() throws {
    var scaler = UncertaintyScaling(rate: 0.1)
    var scales = LossScales(classification: 1)
    for _ in 0..<2000 { scales = try scaler.scales(classification: 7, regression: 0.03) }
    #expect(abs(scales.classification * 7 - 0.5) < 1e-3 && abs(scales.regression * 0.03 - 0.5) < 1e-3)
  }

  @Test func lossesNearNothingDoNotBlowUp() throws {
    var scaler = UncertaintyScaling(rate: 10)
    var scales = LossScales(classification: 1)
    for _ in 0..<100 { scales = try scaler.scales(classification: 1e-20, regression: 1e30) }
    #expect(scales.classification <= Float(exp(10.0)) * 1.0001 && scales.regression >= Float(exp(-10.0)) / 2.0001)
    let before = scaler.state
    _ = try scaler.scales(classification: 0, regression: 0)
    #expect(scaler.state == before, "no loss, no evidence")
  }

  @Test func lossesThatCannotBeAreErrors() {
    var scaler = UncertaintyScaling()
    for (classification, regression) in [(.nan, 1), (1, .infinity), (-1, 1), (1, -1)] as [(Float, Float)] {
      #expect(throws: StrategyError.self) { try scaler.scales(classification: classification, regression: regression) }
    }
  }

  @Test func theStateSurvivesACheckpoint() throws {
    var scaler = UncertaintyScaling()
    for _ in 0..<5 { _ = try scaler.scales(classification: 3, regression: 0.2) }
    var resumed = UncertaintyScaling()
    resumed.state = scaler.state
    #expect(try resumed.scales(classification: 1, regression: 1) == scaler.scales(classification: 1, regression: 1))
  }
}

@Suite struct LossScalerRegistryTests {
  @Test func scalersGoByName() throws {
    var registry = StrategyRegistry()
    registerLossScalers(in: &registry)
    #expect(registry.descriptions(of: .lossScaler).map(\.name) == [
        "constant", "guided", "guided-bounded", "guided-frozen", "guided-learned", "uncertainty", "unscaled",
      ])
    #expect(try registry.makeLossScaler(StrategyReference("guided")) is GuidedLossScaling)
    #expect(try registry.makeLossScaler(StrategyReference("unscaled")) is Unscaled)
    let constant = try registry.makeLossScaler(StrategyReference("constant", parameters: ["w": .double(0.3)]))
    #expect((constant as? ConstantScale)?.w == 0.3)
    let uncertainty = try registry.makeLossScaler(StrategyReference("uncertainty", parameters: ["rate": .double(0.5)]))
    #expect((uncertainty as? UncertaintyScaling)?.rate == 0.5)
    #expect(throws: StrategyError.self) {
      try registry.makeLossScaler(StrategyReference("constant", parameters: ["w": .int(-1)]))
    }
  }
}
