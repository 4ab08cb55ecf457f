import DetectionCore
import Testing

@Suite struct BoxRegressionLossTests {
  static func evaluate(
    _ loss: BoxRegressionLoss, _ deltas: [Float], _ targets: [Float], _ foreground: [Int]
  ) -> (sum: Double, gradient: [Float]) {
    var gradient = [Float](repeating: 7, count: deltas.count)
    let sum = deltas.withUnsafeBufferPointer { deltas in
      targets.withUnsafeBufferPointer { targets in
        gradient.withUnsafeMutableBufferPointer {
          loss.evaluate(deltas: deltas, targets: targets, foreground: foreground, gradient: $0)
        }
      }
    }
    return (sum, gradient)
  }

  @Test func sumAndGradientArePyTorchs() throws {
    let golden = try TorchvisionGoldens.load().regression
    for (loss, expected) in [(BoxRegressionLoss.smoothL1(beta: 0.4), golden.smoothL1), (.l1, golden.l1)] {
      let (sum, gradient) = Self.evaluate(loss, golden.deltas, golden.targets, [0, 1, 2])
      #expect(abs(sum - expected.sum) < 1e-6)
      for (ours, theirs) in zip(gradient, expected.gradient) { #expect(abs(ours - theirs) < 1e-6) }
      #expect(gradient[3] == 0, "no difference, no gradient")
    }
  }

  @Test(arguments: [BoxRegressionLoss.smoothL1(beta: 0.11), .smoothL1(beta: 1), .l1])
  func gradientsAreDifferences(loss: BoxRegressionLoss) {
    var random = SplitMix(seed: 5)
    var deltas = (0..<40).map { _ in random.float(-1...1) }
    let targets = (0..<40).map { _ in random.float(-1...1) }
    let foreground = [0, 3, 4, 9]
    let gradient = Self.evaluate(loss, deltas, targets, foreground).gradient
    for i in deltas.indices {
      let start = deltas[i]
      let step: Float = 1e-3
      deltas[i] = start + step
      let above = Self.evaluate(loss, deltas, targets, foreground).sum
      deltas[i] = start - step
      let below = Self.evaluate(loss, deltas, targets, foreground).sum
      deltas[i] = start
      #expect(abs(Float((above - below) / 0.002) - gradient[i]) < 0.01)
    }
  }

  @Test func onlyTheForegroundCounts() {
    let (sum, gradient) = Self.evaluate(.l1, [1, 1, 1, 1, 5, 5, 5, 5], Array(repeating: 0, count: 8), [0])
    #expect(sum == 4 && gradient == [1, 1, 1, 1, 0, 0, 0, 0])
    let nothing = Self.evaluate(.smoothL1(beta: 0.1), [1, 2, 3, 4], [0, 0, 0, 0], [])
    #expect(nothing.sum == 0 && nothing.gradient == [0, 0, 0, 0])
  }

  @Test(arguments: [BoxRegressionLoss.smoothL1(beta: 0.11), .l1])
  func whatIsNoNumberShowsInSumAndGradient(loss: BoxRegressionLoss) {
    let (sum, gradient) = Self.evaluate(loss, [.nan, 0, 0, 0], [0, 0, 0, 0], [0])
    #expect(sum.isNaN && gradient[0].isNaN)
  }
}
