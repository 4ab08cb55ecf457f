import Foundation
import SamplingFree
import TestSupport

/// A RetinaNet and a data set so small that a run takes a second.
enum TinyExperiment {
  static let yaml = """
    seed: 3
    data: { name: digit-scenes, trainCount: 12, validationCount: 4, size: 64 }
    input: { width: 64, height: 64, flip: 0.5 }
    detector:
      backbone: { depth: 18, width: 4, stem: small, normalization: batch }
      pyramid: { channels: 8, minLevel: 3, maxLevel: 5 }
      head: { convolutions: 1, channels: 8 }
      anchors: { sizes: [10, 16, 28], scales: [1, 1.4], aspectRatios: [1] }
    train: { steps: 6, batchSize: 2, learningRate: 0.01, warmupSteps: 2, decaySteps: [4], clipNorm: 10 }
    """

  static func configuration(output: String, _ overrides: String...) throws -> ExperimentConfiguration {
    try ExperimentConfiguration(yaml: yaml, name: "tiny", overrides: ["train.output=\(output)"] + overrides)
  }

  /// Runs to the end and returns the last evaluation.
  @discardableResult
  static func train(
    _ configuration: ExperimentConfiguration, start: Trainer.Start = .fresh, observer: Notes = Notes(),
    shouldStop: () -> Bool = { false }
  ) throws -> COCOResult {
    var observer = observer
    var trainer = try Trainer(configuration, registry: .standard, start: start, observer: &observer)
    return try trainer.run(observer: &observer, shouldStop: shouldStop)
  }
}

/// Keeps what a run said.
final class Notes: TrainingObserver {
  var notes: [String] = []
  var reports: [StepReport] = []
  var evaluations: [Int] = []
  /// Called after each step.
  var afterStep: (StepReport) -> Void = { _ in }

  func note(_ message: String) { notes.append(message) }
  func didStep(_ report: StepReport, of steps: Int) {
    reports.append(report)
    afterStep(report)
  }
  func didEvaluate(_ result: COCOResult, step: Int) { evaluations.append(step) }
}

/// A line of metrics.jsonl.
struct MetricsLine: Decodable {
  let step: Int
  let classification, regression, scale, loss, learningRate, gradientNorm, seconds, waitSeconds: Double?
  let foreground, images: Int?
  let evaluation: COCOResult?

  static func read(_ folder: RunFolder) throws -> [MetricsLine] {
    try String(contentsOfFile: folder.metrics, encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(MetricsLine.self, from: Data($0.utf8))
    }
  }
}
