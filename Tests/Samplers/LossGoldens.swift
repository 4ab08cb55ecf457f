import DetectionCore
import Foundation
import Testing

/// What Goldens/make_losses.py wrote.
struct LossGoldens: Decodable {
  struct Batch: Decodable {
    let classes: Int
    let imageOffsets: [Int]
    let logits, overlaps, qualities: [Float]
    let labels, objects: [Int32]
  }
  struct Loss: Decodable {
    let value: Double
    let gradient: [Float]
  }
  struct Step: Decodable {
    let scale: Float
    let value: Double
    let gradient: [Float]
  }
  struct Statistics: Decodable {
    let objectCounts, imageCounts: [Int]
    let images: Int
  }
  struct QualityFocal: Decodable {
    let beta: Float
    let value: Double
    let gradient: [Float]
  }
  struct Varifocal: Decodable {
    let alpha, gamma: Float
    let value: Double
    let gradient: [Float]
  }
  struct Harmonizing: Decodable {
    let bins: Int
    let momentum: Float
    let steps: [Step]
  }
  struct ClassBalanced: Decodable {
    let beta, gamma: Float
    let value: Double
    let gradient: [Float]
  }
  struct Equalization: Decodable {
    let threshold: Float
    let value: Double
    let gradient: [Float]
  }
  struct Mining: Decodable {
    let count: Int
    let fraction: Float
    let anchors: [Int]
  }
  struct JointMining: Decodable {
    let count: Int
    let anchors: [Int]
  }
  struct HardNegatives: Decodable {
    let ratio: Float
    let anchors: [Int]
  }
  struct Regression: Decodable {
    let deltas, targets: [Float]
    let foreground: [Int]
    let smoothL1, l1: Loss
  }
  struct HarmonizingRegression: Decodable {
    let mu: Float
    let bins: Int
    let momentum: Float
    let steps: [Step]
  }
  struct Uncertainty: Decodable {
    struct Step: Decodable {
      let losses: [Float]
      let scales: [Double]
      let total: Double
    }
    let rate: Float
    let steps: [Step]
    let logVariances: [Double]
  }

  let batch: Batch
  let statistics: Statistics
  let qualityFocal: [QualityFocal]
  let varifocal: [Varifocal]
  let ghm: [Harmonizing]
  let classBalanced: [ClassBalanced]
  let equalization: [Equalization]
  let ohem: [Mining]
  let ohemJoint: [JointMining]
  let ssd: [HardNegatives]
  let regression: Regression
  let ghmRegression: [HarmonizingRegression]
  let uncertainty: Uncertainty

  static func load() throws -> LossGoldens {
    let url = Bundle.module.bundleURL.appendingPathComponent("Goldens/losses.json")
    return try JSONDecoder().decode(LossGoldens.self, from: Data(contentsOf: url))
  }

  var miniBatch: MiniBatch {
    var result = MiniBatch(
      logits: batch.logits, labels: batch.labels, classCount: batch.classes, overlaps: batch.overlaps,
      imageOffsets: batch.imageOffsets)
    result.objects = batch.objects
    result.qualities = batch.qualities
    result.statistics = TrainingStatistics(
      anchorCount: 1000, foregroundCounts: statistics.objectCounts.map { _ in 1 }, imageCount: statistics.images,
      objectCounts: statistics.objectCounts, imageCounts: statistics.imageCounts)
    return result
  }
}

/// Compares a value to 1e-6 and a gradient, which is still to be divided, to 2e-5 of its largest element.
func expectEqual(
  value: Double, gradient: [Float], normalizer: Double, golden: (value: Double, gradient: [Float]), _ name: String
) {
  #expect(abs(value - golden.value) <= 1e-6 * abs(golden.value), "\(name): \(value), not \(golden.value)")
  let largest = golden.gradient.reduce(0) { max($0, abs($1)) }
  let wrong = golden.gradient.indices.first {
    !(abs(gradient[$0] / Float(normalizer) - golden.gradient[$0]) <= 2e-5 * largest)
  }
  if let wrong {
    Issue.record("\(name): gradient[\(wrong)] is \(gradient[wrong] / Float(normalizer)), not \(golden.gradient[wrong])")
  }
}
