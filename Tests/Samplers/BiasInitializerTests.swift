import BiasInitializers
import DetectionCore
import Foundation
import Samplers
import Testing

private func softmax(_ logits: [Float]) -> [Double] {
  let exponentials = logits.map { exp(Double($0)) }
  return exponentials.map { $0 / exponentials.reduce(0, +) }
}

@Suite struct ConstantBiasTests {
  @Test func everyClassStartsAtTheProbability() throws {
    let bias = try ConstantBias().bias(for: cocoStatistics, activation: .sigmoid)
    #expect(bias.count == 80 && bias.allSatisfy { abs($0 - -4.5951199) < 1e-6 }, "-log(0.99 / 0.01)")
    for probability in [Float(1e-5), 0.01, 0.5, 0.9] {
      let bias = try ConstantBias(probability: probability).bias(for: cocoStatistics, activation: .sigmoid)[0]
      #expect(abs(1 / (1 + exp(-Double(bias))) - Double(probability)) < 1e-6 * Double(probability))
    }
  }

  @Test func softmaxGivesTheBackgroundTheRest() throws {
    let statistics = TrainingStatistics(anchorCount: 10, foregroundCounts: [1, 1, 1], imageCount: 1)
    let probabilities = softmax(try ConstantBias(probability: 0.1).bias(for: statistics, activation: .softmaxWithBackground))
    for (found, expected) in zip(probabilities, [0.7, 0.1, 0.1, 0.1]) { #expect(abs(found - expected) < 1e-6) }
    #expect(throws: StrategyError.self) {
      try ConstantBias(probability: 0.4).bias(for: statistics, activation: .softmaxWithBackground)
    }
  }

  @Test func theProbabilityComesFromTheConfiguration() throws {
    var registry = StrategyRegistry()
    registerBiasInitializers(in: &registry)
    let bias = try registry.makeBiasInitializer(StrategyReference("constant", parameters: ["probability": .double(0.5)]))
    #expect(try bias.bias(for: cocoStatistics, activation: .sigmoid)[0] == 0)
    for wrong in [0.0, 1, -0.1] {
      #expect(throws: StrategyError.self) {
        try registry.makeBiasInitializer(StrategyReference("constant", parameters: ["probability": .double(wrong)]))
      }
    }
    #expect(try registry.makeBiasInitializer(StrategyReference("optimal")) is OptimalBias)
  }
}

@Suite struct OptimalBiasTests {
  /// pi = 1.25e-5 for RetinaNet on COCO.
  @Test func cocoHasThePapersProbability() throws {
    #expect(abs(try OptimalBias.probability(for: cocoStatistics) - 1.25e-5) < 1e-15)
    let bias = try OptimalBias().bias(for: cocoStatistics, activation: .sigmoid)
    #expect(bias.count == 80 && bias.allSatisfy { abs($0 - -11.289769) < 1e-5 })
  }

  /// No other constant logit has a lower cross entropy, and the gradients of all elements cancel.
  @Test(arguments: [(200, 10, 3), (50, 25, 1), (400, 1, 8)])
  func theInitialLossIsLowest(anchors: Int, foreground: Int, classes: Int) throws {
    let labels = (0..<anchors).map { $0 < foreground ? Int32($0 % classes + 1) : 0 }
    var statistics = TrainingStatistics(anchorCount: 0, foregroundCounts: Array(repeating: 0, count: classes), imageCount: 0)
    statistics.add(labels: labels, classIndexes: [])
    let bias = try OptimalBias().bias(for: statistics, activation: .sigmoid)[0]
    func loss(_ bias: Float) throws -> (value: Double, slope: Float) {
      let batch = MiniBatch(logits: Array(repeating: bias, count: anchors * classes), labels: labels, classCount: classes)
      let (value, gradient) = try batch.loss(NoSampling())
      return (value.sum, gradient.reduce(0, +))
    }
    let best = try loss(bias)
    #expect(abs(best.slope) < 1e-3)
    for step: Float in [-1, -0.1, 0.1, 1] { #expect(try loss(bias + step).value > best.value) }
  }

  @Test func softmaxStartsAtTheShares() throws {
    let statistics = TrainingStatistics(anchorCount: 1000, foregroundCounts: [30, 10], imageCount: 1)
    let probabilities = softmax(try OptimalBias().bias(for: statistics, activation: .softmaxWithBackground))
    for (found, expected) in zip(probabilities, [0.96, 0.02, 0.02]) { #expect(abs(found - expected) < 1e-6) }
    func loss(_ pi: Double) -> Double { -40 * log(pi) - 960 * log(1 - 2 * pi) }
    #expect(loss(0.02) < loss(0.0201) && loss(0.02) < loss(0.0199))
  }

  @Test func oneKindOfAnchorsAloneIsAnError() {
    for statistics in [
      TrainingStatistics(anchorCount: 100, foregroundCounts: [0, 0], imageCount: 1),
      TrainingStatistics(anchorCount: 100, foregroundCounts: [60, 40], imageCount: 1),
      TrainingStatistics(anchorCount: 0, foregroundCounts: [0], imageCount: 0),
    ] {
      #expect(throws: StrategyError.self) { try OptimalBias().bias(for: statistics, activation: .sigmoid) }
    }
  }
}

@Suite struct ClassWiseOptimalBiasTests {
  private func statistics(_ labels: [Int32], classes: Int) -> TrainingStatistics {
    var statistics = TrainingStatistics(classCount: classes)
    statistics.add(labels: labels, classIndexes: [])
    return statistics
  }

  /// Each class' gradients cancel by themselves, and no other constants have a lower loss, the one of `optimal` included.
  @Test func theInitialLossIsLowest() throws {
    let labels = (0..<300).map { $0 < 40 ? 1 : $0 < 50 ? 2 : $0 < 51 ? 3 : 0 } as [Int32]
    let statistics = statistics(labels, classes: 3)
    let bias = try ClassWiseOptimalBias().bias(for: statistics, activation: .sigmoid)
    func loss(_ bias: [Float]) throws -> (value: Double, gradient: [Float]) {
      let batch = MiniBatch(logits: labels.flatMap { _ in bias }, labels: labels, classCount: 3)
      let (value, gradient) = try batch.loss(NoSampling())
      return (value.sum, gradient)
    }
    let best = try loss(bias)
    for c in 0..<3 {
      #expect(abs(stride(from: c, to: 900, by: 3).reduce(0) { $0 + best.gradient[$1] }) < 1e-3)
      for step: Float in [-0.5, -0.05, 0.05, 0.5] {
        var other = bias
        other[c] += step
        #expect(try loss(other).value > best.value)
      }
    }
    #expect(try loss(OptimalBias().bias(for: statistics, activation: .sigmoid)).value > best.value)
  }

  @Test func softmaxStartsAtTheSharesWithTheLowestLoss() throws {
    let statistics = TrainingStatistics(anchorCount: 1000, foregroundCounts: [30, 10], imageCount: 1)
    let logits = try ClassWiseOptimalBias().bias(for: statistics, activation: .softmaxWithBackground)
    for (found, expected) in zip(softmax(logits), [0.96, 0.03, 0.01]) { #expect(abs(found - expected) < 1e-6) }
    func loss(_ logits: [Float]) -> Double { zip(softmax(logits), [960.0, 30, 10]).reduce(0) { $0 - $1.1 * log($1.0) } }
    for i in 0..<3 {
      for step: Float in [-0.1, 0.1] {
        var other = logits
        other[i] += step
        #expect(loss(other) > loss(logits))
      }
    }
  }

  @Test func aClassWithoutForegroundStartsAsIfItHadOneAnchor() throws {
    let statistics = TrainingStatistics(anchorCount: 1000, foregroundCounts: [30, 0], imageCount: 1)
    let bias = try ClassWiseOptimalBias().bias(for: statistics, activation: .sigmoid)
    #expect(abs(1 / (1 + exp(-Double(bias[1]))) - 0.001) < 1e-9)
    let logits = try ClassWiseOptimalBias().bias(for: statistics, activation: .softmaxWithBackground)
    #expect(logits.allSatisfy { $0.isFinite })
  }

  @Test func oneKindOfAnchorsAloneIsAnError() {
    for counts in [[0, 0], [60, 40]] {
      let statistics = TrainingStatistics(anchorCount: 100, foregroundCounts: counts, imageCount: 1)
      #expect(throws: StrategyError.self) { try ClassWiseOptimalBias().bias(for: statistics, activation: .sigmoid) }
    }
  }
}
