import Foundation
import TestSupport
import Testing

/// A tiny detector trained by the command once, for all tests that only read it.
final class TrainedRun: Sendable {
  static let yaml = """
    seed: 3
    data: { name: digit-scenes, trainCount: 12, validationCount: 4, size: 64 }
    input: { width: 64, height: 64 }
    detector:
      backbone: { depth: 18, width: 4, stem: small, normalization: batch }
      pyramid: { channels: 8, minLevel: 3, maxLevel: 5 }
      head: { convolutions: 1, channels: 8 }
      anchors: { sizes: [10, 16, 28], scales: [1], aspectRatios: [1] }
    train: { steps: 3, batchSize: 2, learningRate: 0.01, warmupSteps: 1, logEvery: 2, output: run }
    """

  nonisolated(unsafe) let directory: TemporaryDirectory
  let result: (status: Int32, output: String, messages: String)
  var weights: String { directory.file("run/weights.h5") }
  var config: String { directory.file("tiny.yaml") }

  private static let shared = Result { try TrainedRun() }
  static func get() throws -> TrainedRun { try shared.get() }

  private init() throws {
    directory = try TemporaryDirectory()
    _ = try directory.write(Self.yaml, to: "tiny.yaml")
    let result = try Command.run("train", "tiny.yaml", in: directory)
    self.result = (result.status, result.output, result.messages)
  }
}
