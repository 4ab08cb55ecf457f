import DetectionCore
import Foundation
import Samplers
import Testing

@Suite struct GradientHarmonizingTests {
  @Test func stepsWithMomentumAreMMDetections() throws {
    let golden = try LossGoldens.load()
    for g in golden.ghm {
      var sampler: any Sampler = GradientHarmonizing(bins: g.bins, momentum: g.momentum)
      for (index, step) in g.steps.enumerated() {
        var batch = golden.miniBatch
        for i in batch.logits.indices { batch.logits[i] *= step.scale }
        let (value, gradient) = try batch.loss(&sampler, step: index)
        expectEqual(
          value: value.value, gradient: gradient, normalizer: value.normalizer, golden: (step.value, step.gradient),
          "\(g.bins) bins, step \(index)")
      }
    }
  }

  /// Section 3: each unit region's gradients add up to the same, if all its norms were alike.
  @Test func everyFilledBinHasTheSameTotalWeight() throws {
    let batch = MiniBatch.random(anchors: 1000, seed: 4)
    let weighting = try batch.weighting(GradientHarmonizing(bins: 12, momentum: 0))
    guard case .bins(let weights) = weighting.law else { Issue.record("no bins"); return }
    let counts = try batch.withBatch { try ErrorHistogram.count($0, bins: 12) }
    let totals = zip(weights, counts).filter { $1 > 0 }.map { Double($0) * $1 }
    for total in totals { #expect(abs(total - totals[0]) < 1e-5 * totals[0]) }
    #expect(abs(totals.reduce(0, +) - weighting.normalizer) < 1e-5 * weighting.normalizer)
    #expect(counts.reduce(0, +) == weighting.normalizer)
  }

  @Test func theCountsSurviveACheckpoint() throws {
    let (first, second) = (MiniBatch.random(seed: 1), MiniBatch.random(seed: 2))
    var sampler = GradientHarmonizing()
    _ = try first.withBatch { try sampler.weighting(for: $0, step: 0) }
    var resumed = GradientHarmonizing()
    resumed.state = sampler.state
    let (went, came) = (try second.loss(sampler), try second.loss(resumed))
    #expect(went.value == came.value && went.gradient == came.gradient)
    #expect(try second.loss(GradientHarmonizing()).value != came.value)
    resumed.state = ["counts": [1, 2]]
    #expect(resumed.state == sampler.state, "counts of other bins are none")
  }

  /// Each of two processes sees one image; both must weigh as one that sees both.
  @Test func processesCountTogether() throws {
    let whole = MiniBatch.random(images: 2, seed: 6)
    let expected = try whole.loss(GradientHarmonizing())
    let halves = try ProcessPair.run { rank, processes in
      var half = whole
      let anchors = whole.imageOffsets[rank]..<whole.imageOffsets[rank + 1]
      half.logits = Array(whole.logits[(anchors.lowerBound * 5)..<(anchors.upperBound * 5)])
      half.labels = Array(whole.labels[anchors])
      half.overlaps = Array(whole.overlaps[anchors])
      (half.objects, half.qualities, half.imageOffsets, half.processes) = ([], nil, [0, anchors.count], processes)
      return try half.loss(GradientHarmonizing())
    }
    #expect(abs(halves[0].value.sum + halves[1].value.sum - expected.value.sum) < 1e-9 * expected.value.sum)
    #expect(halves[0].value.normalizer + halves[1].value.normalizer == expected.value.normalizer)
    #expect(halves[0].gradient + halves[1].gradient == expected.gradient)
  }
}
