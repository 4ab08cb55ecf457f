import DetectionCore
import Foundation
import Samplers
import Testing

private let hardSamplers: [any Sampler] = [
  BiasedSampling(count: 40), OnlineHardExampleMining(count: 40), OnlineHardExampleMining(count: 30, pool: .joint),
  HardNegativeMining(), IoUBalancedSampling(count: 40, positiveFraction: 0.5),
  IoUBalancedSampling(count: 60, floor: 0, floorFraction: 0.5), IoUBalancedSampling(count: 60, floor: 0.1, floorFraction: 0.2),
]

@Suite struct HardSamplingTests {
  // MARK: Against mmdetection's definitions

  @Test func hardExamplesAreMMDetections() throws {
    let golden = try LossGoldens.load()
    for o in golden.ohem {
      let sampler = OnlineHardExampleMining(count: o.count, positiveFraction: o.fraction)
      #expect(try golden.miniBatch.picked(sampler) == o.anchors, "\(o.count), \(o.fraction)")
    }
    for o in golden.ohemJoint {
      #expect(try golden.miniBatch.picked(OnlineHardExampleMining(count: o.count, pool: .joint)) == o.anchors)
    }
  }

  @Test func hardNegativesAreMMDetections() throws {
    let golden = try LossGoldens.load()
    for s in golden.ssd { #expect(try golden.miniBatch.picked(HardNegativeMining(ratio: s.ratio)) == s.anchors) }
  }

  // MARK: Properties

  @Test(arguments: hardSamplers)
  func aSubsetIsPicked(sampler: any Sampler) throws {
    for seed in 0..<5 as Range<UInt64> {
      let batch = MiniBatch.random(seed: seed)
      let weighting = try batch.weighting(sampler)
      let weights = try #require(weighting.anchorWeights)
      #expect(weights.allSatisfy { $0 == 0 || $0 == 1 })
      #expect(zip(weights, batch.labels).allSatisfy { $0 == 0 || $1 >= 0 }, "no ignored anchor")
      #expect(weights.contains(1) && weights.contains(0))
      // The loss is that of the picked anchors alone.
      let (value, gradient) = try batch.loss(weighting)
      var alone = batch
      alone.labels = zip(weights, batch.labels).map { $0 == 0 ? -1 : $1 }
      let expected = try alone.loss(Weighting(normalizer: 1))
      #expect(abs(value.sum - expected.value.sum) < 1e-9 * expected.value.sum && gradient == expected.gradient)
    }
  }

  @Test(arguments: hardSamplers)
  func theSameSeedAndStepPickTheSame(sampler: any Sampler) throws {
    let batch = MiniBatch.random(anchors: 400, seed: 9)
    #expect(try batch.picked(sampler, step: 3) == batch.picked(sampler, step: 3))
  }

  @Test(arguments: [BiasedSampling(count: 40), IoUBalancedSampling(count: 40)] as [any Sampler])
  func randomSamplersDifferByStepAndImage(sampler: any Sampler) throws {
    let batch = MiniBatch.random(images: 2, anchors: 400, seed: 9)
    #expect(try batch.picked(sampler, step: 3) != batch.picked(sampler, step: 4))
    var twice = batch  // the same image twice
    for values in 0..<400 {
      twice.labels[400 + values] = twice.labels[values]
      twice.overlaps[400 + values] = twice.overlaps[values]
      twice.objects[400 + values] = twice.objects[values]
    }
    let picked = try twice.picked(sampler)
    #expect(picked.filter { $0 < 400 } != picked.filter { $0 >= 400 }.map { $0 - 400 })
    #expect(try batch.picked(BiasedSampling(count: 40, seed: 1)) != batch.picked(BiasedSampling(count: 40, seed: 2)))
  }

  @Test(arguments: [OnlineHardExampleMining(count: 40), OnlineHardExampleMining(count: 30, pool: .joint), HardNegativeMining()] as [any Sampler])
  func theOrderOfAnchorsDoesNotMatter(sampler: any Sampler) throws {
    let batch = MiniBatch.random(seed: 12)
    let (other, order) = batch.reordered(seed: 5)
    #expect(try other.picked(sampler).map { order[$0] }.sorted() == batch.picked(sampler))
  }

  // MARK: Each by itself

  @Test func biasedSamplingBoundsForeground() throws {
    let batch = MiniBatch.random(images: 3, anchors: 300, seed: 2)
    for (count, fraction) in [(40, 0.5), (100, 0.25), (20, 0), (20, 1)] as [(Int, Float)] {
      let picked = try batch.picked(BiasedSampling(count: count, positiveFraction: fraction))
      for image in 0..<3 {
        let here = picked.filter { batch.image(ofAnchor: $0) == image }
        let foreground = batch.labels[batch.imageOffsets[image]..<batch.imageOffsets[image + 1]].count { $0 > 0 }
        #expect(here.count == count)
        #expect(here.count { batch.labels[$0] > 0 } == min(Int(Float(count) * fraction), foreground))
      }
    }
  }

  @Test func biasedSamplingTakesWhatThereIs() throws {
    let batch = MiniBatch(logits: [0, 0, 0, 0], labels: [1, 0, -1, 0], classCount: 1)
    #expect(try batch.picked(BiasedSampling()) == [0, 1, 3])
    #expect(try batch.picked(BiasedSampling(count: 3, positiveFraction: 0)) == [1, 3])
  }

  /// Drawn evenly: in 2000 steps each of 30 background anchors comes up about as often.
  @Test func biasedSamplingIsUniform() throws {
    let batch = MiniBatch(logits: Array(repeating: 0, count: 31), labels: [1] + Array(repeating: 0, count: 30), classCount: 1)
    var counts = [Int](repeating: 0, count: 31)
    for step in 0..<2000 { for anchor in try batch.picked(BiasedSampling(count: 7), step: step) { counts[anchor] += 1 } }
    #expect(counts[0] == 2000)
    // 2000·6/30 = 400, standard deviation 18.
    #expect(counts.dropFirst().allSatisfy { abs($0 - 400) < 5 * 18 })
  }

  @Test func hardNegativeMiningKeepsItsRatioInEachImage() throws {
    let batch = MiniBatch.random(images: 3, anchors: 200, seed: 20)
    let weighting = try batch.weighting(HardNegativeMining())
    let picked = try batch.picked(HardNegativeMining())
    for image in 0..<3 {
      let here = picked.filter { batch.image(ofAnchor: $0) == image }
      let foreground = here.count { batch.labels[$0] > 0 }
      let background = batch.labels[batch.imageOffsets[image]..<batch.imageOffsets[image + 1]].count { $0 == 0 }
      #expect(here.count - foreground == min(3 * foreground, background))
    }
    #expect(weighting.normalizer == Double(batch.labels.count { $0 > 0 }))
  }

  @Test func iouBinsAreDrawnEvenly() throws {
    // Background overlaps crowd near 0; the foreground's 0.9 ends the last bin.
    var batch = MiniBatch(logits: Array(repeating: 0, count: 1000), labels: Array(repeating: 0, count: 1000), classCount: 1)
    var random = SeededGenerator(seed: 3)
    for i in 0..<1000 { batch.overlaps[i] = i < 800 ? 0.1 * random.uniform() : 0.3 + 0.59 * random.uniform() }
    (batch.labels[0], batch.overlaps[0]) = (1, 0.9)
    batch.objects = [0] + Array(repeating: -1, count: 999)
    let picked = try batch.picked(IoUBalancedSampling(count: 91, positiveFraction: 0.5))
    #expect(picked.count == 91 && picked[0] == 0)
    func bin(_ anchor: Int) -> Int { Int(batch.overlaps[anchor] / 0.3) }
    for k in 0..<3 { #expect(picked.dropFirst().count { bin($0) == k } == 30) }
    // With a floor: a share from under it, the rest evenly from bins that begin there.
    let floored = try batch.picked(IoUBalancedSampling(count: 101, positiveFraction: 0.5, bins: 2, floor: 0.3, floorFraction: 0.4))
    #expect(floored.dropFirst().count { batch.overlaps[$0] < 0.3 } == 40)
    #expect(floored.count { (0.3..<0.6).contains(batch.overlaps[$0]) } == 30)
  }

  @Test func foregroundIsDrawnEvenlyOverObjects() throws {
    // Object 0 has 80 anchors, objects 1 to 3 have 10 each.
    var batch = MiniBatch(logits: Array(repeating: 0, count: 200), labels: Array(repeating: 0, count: 200), classCount: 1)
    let objects: [Int32] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]  // of ten anchors each
    batch.objects = objects.flatMap { Array(repeating: $0, count: 10) } + Array(repeating: -1, count: 90)
    batch.labels = batch.objects.map { $0 >= 0 ? 1 : 0 }
    batch.overlaps = batch.objects.map { $0 >= 0 ? 0.7 : 0.1 }
    let picked = try batch.picked(IoUBalancedSampling(count: 64, positiveFraction: 0.5)).filter { batch.labels[$0] > 0 }
    #expect(picked.count == 32)
    // round(32/4) + 1 = 9 each, then 32 of those 36.
    for object in 0..<4 { #expect((5...9).contains(picked.count { batch.objects[$0] == object })) }
    // Where an object is short, others fill up.
    let many = try batch.picked(IoUBalancedSampling(count: 160, positiveFraction: 0.5)).filter { batch.labels[$0] > 0 }
    #expect(many.count == 80 && many.count { batch.objects[$0] != 0 } >= 21)
  }

  @Test func iouBalancedSamplingNeedsObjects() {
    var batch = MiniBatch.random(seed: 1)
    batch.objects = []
    #expect(throws: StrategyError.self) { try batch.weighting(IoUBalancedSampling()) }
  }
}
