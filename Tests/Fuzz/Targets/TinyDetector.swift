import Foundation
import SamplingFree
import TestSupport

/// A detector of two classes that fits into a small file.
enum TinyDetector {
  static func configuration(output: String) throws -> ExperimentConfiguration {
    try ExperimentConfiguration(
      yaml: """
        data: { name: digit-scenes, trainCount: 1, validationCount: 1, size: 32 }
        input: { width: 32, height: 32 }
        detector:
          backbone: { depth: 18, width: 1, stem: small, normalization: batch }
          pyramid: { channels: 2, minLevel: 3, maxLevel: 5 }
          head: { convolutions: 1, channels: 2 }
          anchors: { sizes: [10, 16, 28], scales: [1], aspectRatios: [1] }
        train: { steps: 1, batchSize: 1, learningRate: 0.01, warmupSteps: 0 }
        """, name: "tiny", overrides: ["train.output=\(output)"])
  }

  static func weights() throws -> ModelWeights {
    let configuration = try configuration(output: "run")
    let network = try RetinaNet(configuration.architecture, classCount: 2, seed: 1)
    var weights = ModelWeights(
      tensors: [:],
      metadata: WeightsMetadata(
        detector: configuration.detector.name.rawValue, configuration: configuration.yaml, classNames: ["cat", "dog"],
        statistics: TrainingStatistics(anchorCount: 1000, foregroundCounts: [20, 30], imageCount: 10, objectCounts: [4, 5], imageCounts: [3, 4])))
    for path in network.expectedShapes.keys { weights.tensors[path] = try network.parameters.tensor(path) }
    return weights
  }

  /// Weights plain and packed, and a checkpoint.
  static func files() throws -> [[UInt8]] {
    let directory = try TemporaryDirectory()
    let weights = try weights()
    try WeightsFile.write(weights, to: directory.file("plain.h5"))
    try WeightsFile.write(weights, to: directory.file("packed.h5"), deflate: 6)
    try WeightsFile.write(
      Checkpoint(weights: weights, optimizer: [:], training: ["step": [3], "sampler/momentum": [0.5, 0.25]]), to: directory.file("checkpoint.h5"))
    return try ["plain.h5", "packed.h5", "checkpoint.h5"].map { [UInt8](try bytes(of: directory.file($0))) }
  }
}
