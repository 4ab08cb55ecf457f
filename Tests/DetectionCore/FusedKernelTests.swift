import CDetectionKernels
import Foundation
import Testing

/// The C kernels that strategies build on, beyond what `ClassificationLoss` runs.
@Suite struct FusedKernelTests {
  @Test(arguments: instruction_set.available)
  func exponentialsOfAnyFloat(isa: instruction_set) {
    let x: [Float] = [.infinity, -.infinity, 1000, -1000, .nan, .greatestFiniteMagnitude, -.greatestFiniteMagnitude]
    var y = [Float](repeating: 0, count: x.count)
    fused_loss_exp(isa, x, x.count, &y)
    #expect(y[0] == .infinity && y[1] == 0 && y[2] == .infinity && y[3] == 0 && y[4].isNaN && y[5] == .infinity && y[6] == 0)
  }

  @Test(arguments: instruction_set.available)
  func storesPastTheCachesChangeNothing(isa: instruction_set) {
    let fixture = LossFixture(anchors: 61, classes: 37, seed: 2)
    for law in [FUSED_LOSS_CONSTANT, FUSED_LOSS_FOCAL] {
      var weighting = fused_loss_weighting()
      weighting.law = law
      (weighting.gamma, weighting.target_alpha, weighting.other_alpha) = (2, 0.25, 0.75)
      // Gradients that begin at every offset from a vector's boundary.
      for offset in 0..<17 {
        func run(streaming: Bool) -> (sum: Double, gradient: [Float]) {
          var sum = 0.0
          var gradient = [Float](repeating: 5, count: fixture.logits.count + 2 * offset)
          let isFinite = gradient.withUnsafeMutableBufferPointer {
            fused_loss_rows(
              isa, &weighting, fixture.logits, fixture.labels, nil, fixture.labels.count, fixture.classCount, streaming,
              $0.baseAddress! + offset, &sum)
          }
          #expect(isFinite)
          return (sum, gradient)
        }
        let (cached, streamed) = (run(streaming: false), run(streaming: true))
        #expect(cached.gradient == streamed.gradient)
        #expect(abs(cached.sum - streamed.sum) < 1e-6 * cached.sum)
        #expect(streamed.gradient.prefix(offset).allSatisfy { $0 == 5 } && streamed.gradient.suffix(offset).allSatisfy { $0 == 5 })
      }
    }
  }

  @Test(arguments: instruction_set.available)
  func binsOfTheErrorAreCounted(isa: instruction_set) {
    for bins in [1, 2, 10, 30, 47, 255] {
      // More elements than a block of any kernel; some ignored anchors between.
      let fixture = LossFixture(anchors: 1500, classes: 21, seed: UInt64(bins))
      var counts = [Int64](repeating: 3, count: bins)
      #expect(fused_loss_count_bins(isa, fixture.logits, fixture.labels, 1500, 21, bins, &counts))
      var expected = [Int64](repeating: 3, count: bins)
      for i in fixture.logits.indices where !fixture.isIgnored(i) {
        let z = Double(fixture.isTarget(i) ? -fixture.logits[i] : fixture.logits[i])
        expected[min(Int(Double(bins) / (1 + exp(-z))), bins - 1)] += 1
      }
      #expect(counts.reduce(0, +) == expected.reduce(0, +))
      // An element on a bin's very edge may fall to either side.
      #expect(zip(counts, expected).allSatisfy { abs($0 - $1) <= 1 }, "\(bins) bins: \(counts), not \(expected)")
    }
    var counts: [Int64] = [0, 0]
    #expect(!fused_loss_count_bins(isa, [1, .nan], [0], 1, 2, 2, &counts))
    counts = [0, 0]
    #expect(fused_loss_count_bins(isa, [1, .nan, 0, 0], [-1, 0], 2, 2, 2, &counts))
    #expect(counts == [0, 2])
  }

  @Test(arguments: instruction_set.available)
  func lossesOfWholeAnchors(isa: instruction_set) {
    for classes in [1, 5, 16, 35] {
      let fixture = LossFixture(anchors: 120, classes: classes, seed: UInt64(classes))
      var losses = [Float](repeating: .nan, count: 120)
      #expect(fused_loss_per_anchor(isa, fixture.logits, fixture.labels, 120, classes, &losses))
      for anchor in 0..<120 {
        let row = LossFixture(
          logits: Array(fixture.logits[(anchor * classes)..<((anchor + 1) * classes)]), labels: [fixture.labels[anchor]])
        let expected = row.reference(LossForm.uniform.reference).sum
        #expect(abs(Double(losses[anchor]) - expected) <= 2e-6 * max(expected, 1e-6), "\(classes) classes, anchor \(anchor)")
      }
    }
    var loss: Float = 0
    #expect(!fused_loss_per_anchor(isa, [1, .nan], [0], 1, 2, &loss))
    #expect(fused_loss_per_anchor(isa, [1, .nan], [-1], 1, 2, &loss) && loss == 0)
  }
}
