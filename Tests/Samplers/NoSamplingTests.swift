import DetectionCore
import Foundation
import Samplers
import Testing

@Suite struct NoSamplingTests {
  let batch = MiniBatch(
    logits: [2, -1, 0.5, -3, 1, 0, -2, -2, 4, 1], labels: [1, 0, -1, 2, 0], classCount: 2, imageOffsets: [0, 2, 5])

  /// Sum of cross entropy over elements of anchors that are not ignored, over positives + images.
  @Test func everyElementCountsOnce() throws {
    func ce(_ x: Double, _ t: Double) -> Double { log(1 + exp(x)) - t * x }
    let expected = [(2.0, 1.0), (-1, 0), (0.5, 0), (-3, 0), (-2, 0), (-2, 1), (4, 0), (1, 0)].reduce(0) { $0 + ce($1.0, $1.1) }
    let (value, gradient) = try batch.loss(NoSampling())
    #expect(abs(value.sum - expected) < 1e-5)
    #expect(value.normalizer == 4)
    #expect(abs(value.value - expected / 4) < 1e-6)
    func p(_ x: Double) -> Float { Float(1 / (1 + exp(-x))) }
    let gradients = [p(2) - 1, p(-1), p(0.5), p(-3), 0, 0, p(-2), p(-2) - 1, p(4), p(1)]
    for (ours, expected) in zip(gradient, gradients) { #expect(abs(ours - expected) < 1e-6) }
  }

  @Test func aBatchWithoutObjectsHasALoss() throws {
    let empty = MiniBatch(logits: [0, 0, 0, 0], labels: [0, 0, 0, 0], classCount: 1, imageOffsets: [0, 2, 4])
    #expect(abs(try empty.loss(NoSampling()).value.value - 2 * log(2)) < 1e-6)
  }

  @Test func withoutAnchorsTheLossIsNothing() throws {
    for offsets in [[0, 0, 0], [0]] {
      let value = try MiniBatch(logits: [], labels: [], classCount: 3, imageOffsets: offsets).loss(NoSampling()).value
      #expect(value.value == 0)
    }
    let ignored = try MiniBatch(logits: [1, 2], labels: [-1, -1], classCount: 1).loss(NoSampling())
    #expect(ignored.value.value == 0 && ignored.gradient == [0, 0])
  }
}
