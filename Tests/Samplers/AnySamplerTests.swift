import DetectionCore
import Foundation
import Samplers
import TestSupport
import Testing

/// What holds for every sampler of the package.
@Suite struct AnySamplerTests {
  static var names: [String] { registry.descriptions(of: .sampler).map(\.name) }
  static var orderlessNames: [String] { names.filter { !["biased", "iou-balanced"].contains($0) } }

  private static var registry: StrategyRegistry {
    var registry = StrategyRegistry()
    registerSamplers(in: &registry)
    return registry
  }

  private func make(_ name: String) throws -> any Sampler { try Self.registry.makeSampler(StrategyReference(name)) }

  @Test func allAreThere() {
    #expect(
      Self.names == [
        "biased", "class-balanced", "equalization", "focal", "ghm", "iou-balanced", "none", "ohem", "quality-focal", "ssd",
        "varifocal",
      ])
  }

  /// A loss that grows where a background logit rises and a foreground logit falls, whatever the weights.
  @Test(arguments: names)
  func weightsAreNotNegative(name: String) throws {
    var sampler = try make(name)
    for seed in 0..<4 as Range<UInt64> {
      let batch = MiniBatch.random(anchors: 300, seed: seed)
      let (value, gradient) = try batch.loss(&sampler, step: Int(seed))
      #expect(value.sum > 0 && value.normalizer > 0)
      for anchor in 0..<batch.anchorCount {
        for c in 0..<batch.classCount where Int(batch.labels[anchor]) != c + 1 {
          #expect(gradient[anchor * batch.classCount + c] >= 0)
        }
        if batch.labels[anchor] < 0 {
          #expect(gradient[(anchor * batch.classCount)..<((anchor + 1) * batch.classCount)].allSatisfy { $0 == 0 })
        }
      }
    }
  }

  @Test(arguments: names)
  func theSameBatchesGiveTheSameBits(name: String) throws {
    var (one, other) = (try make(name), try make(name))
    for step in 0..<3 {
      let batch = MiniBatch.random(anchors: 700, seed: UInt64(step))
      let (first, second) = (try batch.loss(&one, step: step), try batch.loss(&other, step: step))
      #expect(first.value == second.value && first.gradient == second.gradient)
    }
  }

  /// Soft weightings, and hard ones that draw nothing at random.
  @Test(arguments: orderlessNames)
  func theOrderOfAnchorsDoesNotMatter(name: String) throws {
    let batch = MiniBatch.random(seed: 31)
    let (other, order) = batch.reordered(seed: 8)
    var (one, two) = (try make(name), try make(name))
    let (first, second) = (try batch.loss(&one), try other.loss(&two))
    #expect(abs(first.value.sum - second.value.sum) < 1e-6 * first.value.sum)
    for (new, old) in order.enumerated() {
      for c in 0..<5 { #expect(abs(second.gradient[new * 5 + c] - first.gradient[old * 5 + c]) < 1e-6) }
    }
  }

  @Test(arguments: names)
  func aBatchWithoutObjectsHasAFiniteLoss(name: String) throws {
    var batch = MiniBatch.random(seed: 2)
    batch.labels = batch.labels.map { min($0, 0) }
    batch.objects = batch.objects.map { _ in -1 }
    var sampler = try make(name)
    let (value, gradient) = try batch.loss(&sampler)
    #expect(value.value.isFinite && value.sum >= 0 && gradient.allSatisfy { $0.isFinite })
    // SSD trains no background without foreground; all others do.
    #expect((value.sum > 0) == (name != "ssd"))
  }

  @Test(arguments: names)
  func whereAllIsIgnoredThereIsNoLoss(name: String) throws {
    var batch = MiniBatch.random(seed: 2)
    batch.labels = batch.labels.map { _ in -1 }
    batch.logits = batch.logits.map { _ in .nan }
    var sampler = try make(name)
    let (value, gradient) = try batch.loss(&sampler)
    #expect(value.value == 0 && gradient.allSatisfy { $0 == 0 })
  }

  @Test(arguments: names)
  func anEmptyBatchHasNoLoss(name: String) throws {
    var batch = MiniBatch(logits: [], labels: [], classCount: 5, imageOffsets: [0, 0])
    batch.qualities = []
    batch.statistics = MiniBatch.random(seed: 0).statistics
    var sampler = try make(name)
    #expect(try batch.loss(&sampler).value.value == 0)
  }

  @Test(arguments: names)
  func aLogitThatIsNoNumberIsAnError(name: String) throws {
    var batch = MiniBatch.random(seed: 4)
    // Everywhere, as a network that has diverged gives them: samplers that draw at random see them too.
    batch.logits = batch.logits.map { _ in .nan }
    var sampler = try make(name)
    let error = try? thrown(StrategyError.self) { try batch.loss(&sampler) }
    #expect(error?.description.contains("is nan: training has diverged") == true)
    if ["biased", "iou-balanced"].contains(name) { return }
    // A single one, for those that look at all.
    batch = MiniBatch.random(seed: 4)
    let anchor = try #require(batch.labels.firstIndex { $0 == 0 })
    batch.logits[anchor * 5 + 2] = .infinity
    let single = try? thrown(StrategyError.self) { try batch.loss(&sampler) }
    #expect(single?.description.contains("anchor \(anchor), class 2 is inf") == true)
  }

  @Test(arguments: names)
  func parametersAreDescribedWithTheirDefaults(name: String) throws {
    let description = try #require(Self.registry.descriptions(of: .sampler).first { $0.name == name })
    #expect(!description.summary.isEmpty && !description.source.isEmpty)
    for parameter in description.parameters {
      // The stated default is accepted, and is what the sampler takes by itself.
      let value: ParameterValue =
        Int(parameter.defaultValue).map(ParameterValue.int) ?? Double(parameter.defaultValue).map(ParameterValue.double)
        ?? .string(parameter.defaultValue)
      let stated = try Self.registry.makeSampler(StrategyReference(name, parameters: [parameter.name: value]))
      let made = try make(name)
      #expect("\(stated)" == "\(made)")
    }
  }
}
