import DetectionCore
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

  @Test func bothScalersGoByName() throws {
    var registry = StrategyRegistry()
    registerLossScalers(in: &registry)
    #expect(try registry.makeLossScaler(StrategyReference("guided")) is GuidedLossScaling)
    #expect(try registry.makeLossScaler(StrategyReference("unscaled")) is Unscaled)
  }
}
