import AsymmetricFocus
import DetectionCore
import Foundation
import Testing

/// Three anchors of two classes: background, class 2, ignored.
private let labels: [Int32] = [0, 2, -1]
private let logits: [Float] = [-1.5, 0.5, 1, -0.25, 9, 9]

@Test func lossIsCrossEntropyWithNegativesWeighedByTheirProbability() throws {
  for gamma in [1, 2, 5] {
    var sampler = AsymmetricFocus(gamma: gamma)
    let trial = try SamplerTrial(&sampler, logits: logits, labels: labels, classCount: 2)
    let p = logits.map { 1 / (1 + exp(-Double($0))) }
    let negatives = [0, 1, 2].reduce(0) { $0 - pow(p[$1], Double(gamma)) * log(1 - p[$1]) }
    #expect(abs(trial.loss.value - (negatives - log(p[3]))) < 1e-6)
  }
}

@Test func gradientIsThatOfTheLoss() throws {
  for gamma in [1, 2, 5] {
    var sampler = AsymmetricFocus(gamma: gamma)
    let gradient = try SamplerTrial(&sampler, logits: logits, labels: labels, classCount: 2).gradient
    for i in logits.indices {
      var values: [Double] = []
      for step in [-0x1p-7, 0x1p-7] as [Float] {
        var moved = logits
        moved[i] += step
        values.append(try SamplerTrial(&sampler, logits: moved, labels: labels, classCount: 2).loss.sum)
      }
      #expect(abs(Double(gradient[i]) - (values[1] - values[0]) / 0x1p-6) < 1e-4, "gamma \(gamma), logit \(i)")
    }
  }
}

@Test func theRegistryChecksTheParameter() throws {
  var registry = StrategyRegistry()
  registry.register(AsymmetricFocus.self)
  let made = try registry.makeSampler(StrategyReference("asymmetric", parameters: ["gamma": .int(3)]))
  #expect((made as? AsymmetricFocus)?.gamma == 3)
  #expect(throws: StrategyError.self) {
    try registry.makeSampler(StrategyReference("asymmetric", parameters: ["gamma": .int(0)]))
  }
}
