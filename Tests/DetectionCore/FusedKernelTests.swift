import CFusedLoss
import Foundation
import Testing

/// The C kernels that strategies build on, beyond what `ClassificationLoss` runs.
@Suite struct FusedKernelTests {
  /// Distance in units of the last place of `expected`, denormals counted as such.
  static func ulps(_ value: Float, _ expected: Double) -> Double {
    abs(Double(value) - expected) / Double(max(Float(expected).ulp, .leastNonzeroMagnitude))
  }

  @Test(arguments: fused_loss_isa.available)
  func exponentialsErrByTwoUnitsAtMost(isa: fused_loss_isa) {
    let x = Array(stride(from: Float(-103), through: 88.7, by: 0.00317)) + [0, -0.0, 1, -1, 1e-8, 88.72283]
    var y = [Float](repeating: 0, count: x.count)
    fused_loss_exp(isa, x, x.count, &y)
    #expect(zip(x, y).allSatisfy { Self.ulps($1, exp(Double($0))) <= 2 })
  }

  @Test(arguments: fused_loss_isa.available)
  func exponentialsOfAnyFloat(isa: fused_loss_isa) {
    let x: [Float] = [.infinity, -.infinity, 1000, -1000, .nan, .greatestFiniteMagnitude, -.greatestFiniteMagnitude]
    var y = [Float](repeating: 0, count: x.count)
    fused_loss_exp(isa, x, x.count, &y)
    #expect(y[0] == .infinity && y[1] == 0 && y[2] == .infinity && y[3] == 0 && y[4].isNaN && y[5] == .infinity && y[6] == 0)
  }

  @Test(arguments: fused_loss_isa.available)
  func logarithmsErrByTwoUnitsAtMost(isa: fused_loss_isa) {
    let x = Array(stride(from: Float(0), through: 1, by: 0.0000371)) + [1, 1e-30, 1e-7, 0.99999994]
    var y = [Float](repeating: 0, count: x.count)
    fused_loss_log1p(isa, x, x.count, &y)
    #expect(zip(x, y).allSatisfy { Self.ulps($1, log1p(Double($0))) <= 2 })
  }

  @Test(arguments: fused_loss_isa.available)
  func storesPastTheCachesChangeNothing(isa: fused_loss_isa) {
    let fixture = LossFixture(anchors: 61, classes: 37, seed: 2)
    for kind in [FUSED_LOSS_UNIFORM, FUSED_LOSS_FOCAL] {
      var weighting = fused_loss_weighting()
      weighting.kind = kind
      (weighting.gamma, weighting.positive_alpha, weighting.negative_alpha) = (2, 0.25, 0.75)
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

  @Test(arguments: fused_loss_isa.available)
  func stepsWeighByTheSignedLogit(isa: fused_loss_isa) {
    let fixture = LossFixture(anchors: 90, classes: 9, seed: 12)
    let edges: [Float] = [-2, 0, 0.5, 3], steps: [Float] = [0.1, 0.7, 1.5, 0, 4]
    var gradient = [Float](repeating: .nan, count: fixture.logits.count)
    var sum = 0.0
    edges.withUnsafeBufferPointer { edges in
      steps.withUnsafeBufferPointer { steps in
        var weighting = fused_loss_weighting()
        weighting.kind = FUSED_LOSS_STEPS
        (weighting.edges, weighting.steps, weighting.edge_count) = (edges.baseAddress, steps.baseAddress, edges.count)
        _ = fused_loss_rows(
          isa, &weighting, fixture.logits, fixture.labels, nil, 90, 9, false, &gradient, &sum)
      }
    }
    // p > sigmoid(edge) for targets 0, 1 - p for targets 1: the steps stand for those of |p - t|.
    let expected = fixture.reference(
      ReferenceWeighting { _, _, wrong, _ in
        (Double(steps[edges.filter { wrong >= 1 / (1 + exp(-Double($0))) }.count]), 0)
      })
    #expect(abs(sum - expected.sum) < 1e-5 * expected.sum)
    for i in gradient.indices { #expect(abs(Double(gradient[i]) - expected.gradient[i]) < 1e-5) }
  }

  @Test(arguments: fused_loss_isa.available)
  func stepsAreCounted(isa: fused_loss_isa) {
    let fixture = LossFixture(anchors: 500, classes: 21, seed: 6)
    let edges = (0..<11).map { Float($0) - 5 }
    var counts = [Int64](repeating: 3, count: edges.count)
    fused_loss_count_steps(isa, fixture.logits, fixture.labels, 500, 21, edges, edges.count, &counts)
    for (edge, count) in zip(edges, counts) {
      let expected = fixture.logits.indices.filter {
        !fixture.isIgnored($0) && (fixture.isTarget($0) ? -fixture.logits[$0] : fixture.logits[$0]) >= edge
      }.count
      #expect(count == Int64(3 + expected), "added to what was there")
    }
  }

  @Test(arguments: fused_loss_isa.available)
  func lossesOfWholeAnchors(isa: fused_loss_isa) {
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
