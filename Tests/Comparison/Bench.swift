import Foundation
import SamplingFree
import Synchronization
import Testing

/// A folder with a configuration so small that a run takes a second, and strategies that fail on demand.
final class Bench {
  let folder: String
  var configuration: String { "\(folder)/tiny.yaml" }
  var output: String { "\(folder)/comparison" }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("comparison-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try write(
      """
      data: { name: digit-scenes, trainCount: 12, validationCount: 4, size: 64 }
      input: { width: 64, height: 64, flip: 0.5 }
      detector:
        backbone: { depth: 18, width: 4, stem: small, normalization: batch }
        pyramid: { channels: 8, minLevel: 3, maxLevel: 5 }
        head: { convolutions: 1, channels: 8 }
        anchors: { sizes: [10, 16, 28], aspectRatios: [1] }
      train: { steps: 4, batchSize: 2, learningRate: 0.01, warmupSteps: 2 }
      """, to: "tiny.yaml")
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
  }

  func text(_ name: String) throws -> String { try String(contentsOfFile: "\(output)/\(name)", encoding: .utf8) }

  func plan(_ vary: String..., overrides: [String] = [], plugins: [String] = [], seeds: [Int] = [0]) throws -> ComparisonPlan {
    try ComparisonPlan(
      path: configuration, overrides: overrides, plugins: plugins, axes: vary.map { try ComparisonAxis(vary: $0) },
      seeds: seeds)
  }

  @discardableResult
  func run(
    _ plan: ComparisonPlan, into output: String? = nil, stoppingAfter steps: Int = .max
  ) throws -> (report: ComparisonReport, diary: Diary) {
    var registry = StrategyRegistry.standard
    registry.register(Stumbling.self)
    registry.register(Exploding.self)
    var diary = Diary()
    let counter = diary.counter
    let report = try Comparison(plan, folder: output ?? self.output, registry: registry)
      .run(observer: &diary, shouldStop: { counter.steps >= steps })
    return (report, diary)
  }
}

final class StepCounter {
  var steps = 0
}

struct Diary: TrainingObserver {
  let counter = StepCounter()
  private(set) var notes: [String] = []
  /// Of all runs, in order.
  private(set) var steps: [Int] = []
  mutating func note(_ message: String) { notes.append(message) }
  mutating func didStep(_ report: StepReport, of steps: Int) {
    self.steps.append(report.step)
    counter.steps += 1
  }
  func didEvaluate(_ result: COCOResult, step: Int) {}
}

struct PowerCut: Error {}

/// Leaves the losses as they are, and once, at its third step, fails as if the power had.
struct Stumbling: LossScaler, CheckpointedStrategy {
  static let name = "stumbling"
  static let summary = "fails once"
  static let source = "a test"
  static let isPowered = Mutex(true)

  private var step = 0.0
  init(parameters: inout ParameterReader) {}

  mutating func scales(classification: Float, regression: Float) throws -> LossScales {
    step += 1
    if step == 3, !Self.isPowered.withLock({ $0 }) { throw PowerCut() }
    return LossScales(classification: 1)
  }

  var state: [String: [Double]] {
    get { ["step": [step]] }
    set { step = newValue["step"]?.first ?? 0 }
  }
}

/// Training that diverges at its third step, after one of a size that no weights survive.
struct Exploding: LossScaler {
  static let name = "exploding"
  static let summary = "diverges"
  static let source = "a test"

  private var step = 0
  init(parameters: inout ParameterReader) {}

  mutating func scales(classification: Float, regression: Float) -> LossScales {
    step += 1
    return LossScales(classification: step == 2 ? 1e30 : 1)
  }
}
