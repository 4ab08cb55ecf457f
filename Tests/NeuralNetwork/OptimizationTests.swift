import Testing

import NeuralNetwork

@Suite struct OptimizationTests {
  static func parameters() throws -> Parameters {
    try Parameters(
      [
        ParameterDeclaration(path: "w", shape: [3], initializer: .constant(1), isTrainable: true),
        ParameterDeclaration(path: "m", shape: [2], initializer: .constant(5), isTrainable: false),
      ], seed: 0)
  }

  /// Numbers of torch.optim.SGD([1, 1, 1], lr=0.1, momentum=0.9, weight_decay=0.01), gradients [1, 2, 3] twice.
  @Test func followsPyTorch() throws {
    let parameters = try Self.parameters()
    let sgd = try SGD(parameters, momentum: 0.9, weightDecay: 0.01)
    for _ in 0..<2 {
      for i in 0..<3 { parameters.gradients[i] = Float(i + 1) }
      sgd.step(learningRate: 0.1)
    }
    let expected: [Float] = [0.707201, 0.417301, 0.127401]
    for (actual, expected) in zip(try parameters.tensor("w").values, expected) { #expect(abs(actual - expected) < 1e-6) }
    #expect(try parameters.tensor("m").values == [5, 5])
  }

  @Test func clipsTheNormOfAllGradients() throws {
    let parameters = try Self.parameters()
    let sgd = try SGD(parameters, momentum: 0, weightDecay: 0, clipNorm: 1)
    for (i, g) in [Float(0), 3, 4].enumerated() { parameters.gradients[i] = g }
    #expect(abs(sgd.step(learningRate: 1) - 5) < 1e-9)
    for (actual, expected) in zip(try parameters.tensor("w").values, [Float(1), 0.4, 0.2]) { #expect(abs(actual - expected) < 1e-6) }
  }

  @Test func stateIsRestored() throws {
    let parameters = try Self.parameters()
    let sgd = try SGD(parameters)
    parameters.gradients[0] = 1
    sgd.step(learningRate: 0.1)
    let other = try SGD(parameters)
    try other.restore(sgd.state)
    #expect(other.state == sgd.state)
    #expect(throws: EngineError.self) { try other.restore([:]) }
  }

  @Test func warmsUpAndDecays() {
    let schedule = LearningRateSchedule(base: 1, warmupSteps: 10, warmupFactor: 0.1, decaySteps: [20, 30], decayFactor: 0.1)
    #expect(schedule.rate(at: 0) == 0.1)
    #expect(abs(schedule.rate(at: 5) - 0.55) < 1e-6)
    #expect(schedule.rate(at: 10) == 1)
    #expect(abs(schedule.rate(at: 25) - 0.1) < 1e-7)
    #expect(abs(schedule.rate(at: 30) - 0.01) < 1e-7)
  }
}
