import DetectionCore
import Foundation
import Samplers
import Testing

@Suite struct FocalLossTests {
  private func loss(_ logit: Float, target: Bool, gamma: Float, alpha: Float) throws -> Double {
    try MiniBatch(logits: [logit], labels: [target ? 1 : 0], classCount: 1)
      .loss(FocalLoss(gamma: gamma, alpha: alpha)).value.value
  }

  /// Equation 5 of the paper.
  @Test(arguments: [(2, 0.25), (0, 0.5), (5, 0.75), (0.5, 0.1)] as [(Float, Float)])
  func theLossIsTheFormula(gamma: Float, alpha: Float) throws {
    for logit in stride(from: Float(-8), through: 8, by: 0.5) {
      for target in [true, false] {
        let p = 1 / (1 + exp(-Double(logit)))
        let pt = target ? p : 1 - p
        let expected = -Double(target ? alpha : 1 - alpha) * pow(1 - pt, Double(gamma)) * log(pt)
        let found = try loss(logit, target: target, gamma: gamma, alpha: alpha)
        #expect(abs(found - expected) < 1e-5 * expected, "logit \(logit), target \(target)")
      }
    }
  }

  /// "With gamma = 2, an example classified with p_t = 0.9 would have 100x lower loss compared with CE" (section 3.2).
  @Test func wellClassifiedExamplesLoseAHundredfold() throws {
    let logit = log(Float(9))
    let ratio = try loss(logit, target: true, gamma: 0, alpha: 1) / loss(logit, target: true, gamma: 2, alpha: 1)
    #expect(abs(ratio - 100) < 1e-3)
    let sure = log(Float(0.968 / 0.032))
    let higher = try loss(sure, target: true, gamma: 0, alpha: 1) / loss(sure, target: true, gamma: 2, alpha: 1)
    #expect(abs(higher - 1000) < 30)
  }

  /// The configuration of Detectron's issue 356.
  @Test func gammaZeroAlphaHalfIsHalfOfCrossEntropy() throws {
    let batch = MiniBatch(logits: [2, -1, 0.5, -3, 1, 0], labels: [1, 0, 2], classCount: 2)
    let (half, whole) = (try batch.loss(FocalLoss(gamma: 0, alpha: 0.5)), try batch.loss(NoSampling()))
    #expect(abs(half.value.sum - whole.value.sum / 2) < 1e-6)
    for (a, b) in zip(half.gradient, whole.gradient) { #expect(abs(a - b / 2) < 1e-6) }
  }

  @Test func theSumIsDividedByPositives() throws {
    let some = try MiniBatch(logits: [0, 0, 0, 0], labels: [1, 1, 0, -1], classCount: 1).loss(FocalLoss()).value
    #expect(abs(some.value - some.sum / 2) < 1e-9)
    let none = try MiniBatch(logits: [0, 0], labels: [0, 0], classCount: 1).loss(FocalLoss()).value
    #expect(abs(none.value - none.sum) < 1e-9 && none.sum > 0)
    #expect(try MiniBatch(logits: [], labels: [], classCount: 4).loss(FocalLoss()).value.value == 0)
  }

  /// The gradient flows through the weight too.
  @Test func theGradientIsThatOfTheSum() throws {
    let batch = MiniBatch(logits: [2, -1, 0.5, -3, 1, 0], labels: [1, 0, 2], classCount: 2)
    let gradient = try batch.loss(FocalLoss(gamma: 1.5, alpha: 0.3)).gradient
    for i in gradient.indices {
      var (above, below) = (batch, batch)
      above.logits[i] += 0.0078125
      below.logits[i] -= 0.0078125
      let rise = try above.loss(FocalLoss(gamma: 1.5, alpha: 0.3)).value.sum - below.loss(FocalLoss(gamma: 1.5, alpha: 0.3)).value.sum
      #expect(abs(rise / 0.015625 - Double(gradient[i])) < 1e-4)
    }
  }

  @Test func parametersComeFromTheConfiguration() throws {
    var registry = StrategyRegistry()
    registerSamplers(in: &registry)
    let plain = try #require(registry.makeSampler(StrategyReference("focal")) as? FocalLoss)
    #expect(plain.gamma == 2 && plain.alpha == 0.25)
    let set = try #require(
      registry.makeSampler(StrategyReference("focal", parameters: ["gamma": .int(1), "alpha": .double(0.5)])) as? FocalLoss)
    #expect(set.gamma == 1 && set.alpha == 0.5)
    for wrong: [String: ParameterValue] in [["gamma": .int(-1)], ["alpha": .double(1.1)], ["beta": .int(0)]] {
      #expect(throws: StrategyError.self) { try registry.makeSampler(StrategyReference("focal", parameters: wrong)) }
    }
    #expect(try registry.makeSampler(StrategyReference("none")) is NoSampling)
    #expect(throws: StrategyError.self) { try registry.makeSampler(StrategyReference("none", parameters: ["gamma": .int(2)])) }
  }
}
