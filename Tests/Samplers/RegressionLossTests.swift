import DetectionCore
import Foundation
import RegressionLosses
import TestSupport
import Testing

@Suite struct RegressionLossTests {
  private func evaluate(
    _ loss: inout any RegressionLoss, _ deltas: [Float], _ targets: [Float], _ foreground: [Int],
    processes: any AllReduce = SingleProcess()
  ) throws -> (value: RegressionLossValue, gradient: [Float]) {
    var gradient = [Float](repeating: 7, count: deltas.count)
    let value = try deltas.withUnsafeBufferPointer { deltas in
      try targets.withUnsafeBufferPointer { targets in
        try gradient.withUnsafeMutableBufferPointer {
          try loss.evaluate(
            RegressionBatch(deltas: deltas, targets: targets, foreground: foreground, processes: processes), gradient: $0)
        }
      }
    }
    return (value, gradient)
  }

  private func evaluate(
    _ loss: some RegressionLoss, _ deltas: [Float], _ targets: [Float], _ foreground: [Int]
  ) throws -> (value: RegressionLossValue, gradient: [Float]) {
    var loss: any RegressionLoss = loss
    return try evaluate(&loss, deltas, targets, foreground)
  }

  @Test func smoothL1AndL1ArePyTorchs() throws {
    let golden = try LossGoldens.load().regression
    for (loss, expected) in [(SmoothL1(), golden.smoothL1), (L1(), golden.l1)] as [(any RegressionLoss, LossGoldens.Loss)] {
      var loss = loss
      let ours = try evaluate(&loss, golden.deltas, golden.targets, golden.foreground)
      expectEqual(
        value: ours.value.value, gradient: ours.gradient, normalizer: ours.value.normalizer,
        golden: (expected.value, expected.gradient), "\(loss)")
      #expect(ours.gradient[13] == 0, "no difference, no gradient")
    }
  }

  @Test func gradientHarmonizingIsMMDetections() throws {
    let golden = try LossGoldens.load()
    let regression = golden.regression
    for g in golden.ghmRegression {
      var loss: any RegressionLoss = GradientHarmonizingRegression(mu: g.mu, bins: g.bins, momentum: g.momentum)
      for (index, step) in g.steps.enumerated() {
        let ours = try evaluate(
          &loss, regression.deltas.map { $0 * step.scale }, regression.targets, regression.foreground)
        expectEqual(
          value: ours.value.value, gradient: ours.gradient, normalizer: ours.value.normalizer,
          golden: (step.value, step.gradient), "mu \(g.mu), step \(index)")
      }
    }
  }

  /// GHM-R's weights are numbers: the differences are of the loss with the weights of the middle.
  @Test(arguments: [SmoothL1(), SmoothL1(beta: 1), L1(), GradientHarmonizingRegression(bins: 1)] as [any RegressionLoss])
  func gradientsAreDifferences(loss: any RegressionLoss) throws {
    var random = SeededGenerator(seed: 5)
    var deltas = (0..<40).map { _ in 2 * random.uniform() - 1 }
    let targets = (0..<40).map { _ in 2 * random.uniform() - 1 }
    let foreground = [0, 3, 4, 9]
    var fresh = loss
    let gradient = try evaluate(&fresh, deltas, targets, foreground).gradient
    for i in deltas.indices {
      let start = deltas[i]
      func sum(_ delta: Float) throws -> Double {
        deltas[i] = delta
        var loss = loss
        return try evaluate(&loss, deltas, targets, foreground).value.sum
      }
      let rise = try sum(start + 1e-3) - sum(start - 1e-3)
      deltas[i] = start
      #expect(abs(Float(rise / 0.002) - gradient[i]) < 0.02)
    }
  }

  @Test func everyFilledBinHasTheSameTotalWeight() throws {
    // Four differences alike, one other: the gradients of the two kinds weigh 2.5 / 4 and 2.5 each.
    let ours = try evaluate(
      GradientHarmonizingRegression(mu: 0.1, bins: 10, momentum: 0), [0.01, 0.01, 0.01, 0.01, 5, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0],
      [0, 1])
    // Norms: 0.0995 four times, 0.9998 once, 0 three times: two bins, of 7 and of 1.
    #expect(abs(ours.gradient[4] - 8 / (1 * 2) * 0.9998) < 1e-3)
    #expect(abs(ours.gradient[0] - 8 / (7 * 2) * 0.0995) < 1e-3)
    #expect(ours.value.normalizer == 8)
  }

  @Test func onlyTheForegroundCounts() throws {
    let ours = try evaluate(L1(), [1, 1, 1, 1, 5, 5, 5, 5], Array(repeating: 0, count: 8), [0])
    #expect(ours.value == RegressionLossValue(sum: 4, normalizer: 1) && ours.gradient == [1, 1, 1, 1, 0, 0, 0, 0])
    for loss in [SmoothL1(), L1(), GradientHarmonizingRegression()] as [any RegressionLoss] {
      var loss = loss
      let nothing = try evaluate(&loss, [1, 2, 3, 4], [0, 0, 0, 0], [])
      #expect(nothing.value.value == 0 && nothing.gradient == [0, 0, 0, 0])
    }
  }

  @Test func whatIsNoNumberShows() throws {
    for loss in [SmoothL1(), L1()] as [any RegressionLoss] {
      var loss = loss
      let (value, gradient) = try evaluate(&loss, [.nan, 0, 0, 0], [0, 0, 0, 0], [0])
      #expect(value.sum.isNaN && gradient[0].isNaN)
    }
    let error = try? thrown(StrategyError.self) {
      try evaluate(GradientHarmonizingRegression(), [0, 0, .infinity, 0], [0, 0, 0, 0], [0])
    }
    #expect(error?.description == "delta 2 of anchor 0 is inf: training has diverged")
  }

  @Test func theCountsSurviveACheckpoint() throws {
    var loss: any RegressionLoss = GradientHarmonizingRegression()
    _ = try evaluate(&loss, [0.5, 0.1, -0.3, 0], [0, 0, 0, 0], [0])
    var resumed = GradientHarmonizingRegression()
    resumed.state = try #require(loss as? GradientHarmonizingRegression).state
    let (went, came) = (try evaluate(&loss, [1, 0, 0, 0], [0, 0, 0, 0], [0]), try evaluate(resumed, [1, 0, 0, 0], [0, 0, 0, 0], [0]))
    #expect(went.value == came.value && went.gradient == came.gradient)
  }

  @Test func processesCountTogether() throws {
    let deltas: [Float] = [0.5, 0.1, -0.3, 0, 2, 0.01, 0, -4], zeros = [Float](repeating: 0, count: 8)
    let whole = try evaluate(GradientHarmonizingRegression(), deltas, zeros, [0, 1])
    let halves = try ProcessPair.run { rank, processes in
      var loss: any RegressionLoss = GradientHarmonizingRegression()
      return try evaluate(&loss, Array(deltas[(4 * rank)..<(4 * rank + 4)]), [0, 0, 0, 0], [0], processes: processes)
    }
    #expect(abs(halves[0].value.sum + halves[1].value.sum - whole.value.sum) < 1e-9)
    #expect(halves[0].gradient + halves[1].gradient == whole.gradient)
  }

  @Test func theyGoByName() throws {
    var registry = StrategyRegistry()
    registerRegressionLosses(in: &registry)
    #expect(registry.descriptions(of: .regressionLoss).map(\.name) == ["ghm", "l1", "smooth-l1"])
    let smooth = try registry.makeRegressionLoss(StrategyReference("smooth-l1", parameters: ["beta": .int(1)]))
    #expect((smooth as? SmoothL1)?.beta == 1)
    #expect(throws: StrategyError.self) {
      try registry.makeRegressionLoss(StrategyReference("smooth-l1", parameters: ["beta": .int(0)]))
    }
    let error = try? thrown(StrategyError.self) { try registry.makeRegressionLoss(StrategyReference("l3")) }
    #expect(error?.description == "no regressionLoss \"l3\"; there are ghm, l1, smooth-l1; did you mean \"l1\"?")
  }
}
