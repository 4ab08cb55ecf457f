import Testing

import NeuralNetwork
import Weights

@Suite struct WeightsMatchTests {
  static let weights = ModelWeights(
    tensors: [
      "backbone/conv/kernel": Tensor(shape: [2, 3], values: [1, 2, 3, 4, 5, 6]),
      "backbone/conv/bais": Tensor(shape: [2], values: [1, 2]),
      "heads/logits/bias": Tensor(shape: [10], repeating: 1),
      "extra/thing": Tensor(shape: [1], repeating: 0),
    ], metadata: WeightsMetadata(detector: "retinanet", classNames: ["a"]))

  @Test func whatAgreesIsTakenAndTheRestIsReported() {
    let match = Self.weights.match(expected: [
      "backbone/conv/kernel": [2, 3], "backbone/conv/bias": [2], "heads/logits/bias": [3], "new/kernel": [1],
    ])
    #expect(match.loaded == ["backbone/conv/kernel"])
    #expect(match.tensors["backbone/conv/kernel"]?.values == [1, 2, 3, 4, 5, 6])
    #expect(match.skipped.map(\.path) == ["backbone/conv/bais", "extra/thing", "heads/logits/bias"])
    #expect(
      match.skipped.map(\.reason) == [
        .unexpected(nearest: "backbone/conv/bias"), .unexpected(nearest: nil), .shape(found: [10], expected: [3]),
      ])
    #expect(match.initialized == ["backbone/conv/bias", "heads/logits/bias", "new/kernel"])
    #expect(!match.isComplete)
    let text = match.description
    #expect(text.hasPrefix("loaded 1, skipped 3, newly initialised 3"))
    #expect(text.contains("backbone/conv/bais: the model has no such parameter; did you mean \"backbone/conv/bias\"?"))
    #expect(text.contains("heads/logits/bias: shape [10] where the model has [3]"))
    #expect(text.contains("newly initialised new/kernel"))
    #expect(match.summary(lines: 1).hasSuffix("\"backbone/conv/bias\"?\n  ... and 5 more"))
    #expect(match.summary(lines: 6) == text)
  }

  @Test func equalNamesAndShapesMatchCompletely() {
    let match = Self.weights.match(expected: Self.weights.tensors.mapValues(\.shape))
    #expect(match.isComplete && match.tensors == Self.weights.tensors)
    #expect(match.description == "loaded 4, skipped 0, newly initialised 0")
  }

  @Test func nothingMatchesNothing() {
    #expect(ModelWeights(tensors: [:], metadata: Self.weights.metadata).match(expected: [:]).isComplete)
    #expect(Self.weights.match(expected: [:]).skipped.count == 4)
  }
}
