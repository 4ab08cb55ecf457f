import Configuration
import DetectionCore
import Evaluation
import Files
import Foundation
import Training

/// Trains the runs of a plan one after another and reports on them.
///
/// Files in the folder: `comparison.md`, `comparison.csv` (a line a variant), `runs.csv` (a line a run) and
/// `comparison.png`, renewed after every run; below `runs/` every run's folder. Finished runs are skipped, an interrupted
/// one goes on from its checkpoint; one whose configuration, or whose plugin, has changed starts anew.
public struct Comparison {
  public let plan: ComparisonPlan
  public let folder: String
  private let registry: StrategyRegistry
  private let runs: [ComparisonPlan.Run]

  /// - Throws: `StrategyError` where a variant names a strategy that is not in the registry, before anything is trained.
  public init(_ plan: ComparisonPlan, folder: String, registry: StrategyRegistry) throws {
    for (index, variant) in plan.variants.enumerated() {
      do { _ = try Strategies(variant.configuration, registry: registry) } catch let error as StrategyError {
        throw StrategyError("\(plan.name(of: index)): \(error)")
      }
    }
    self.plan = plan
    self.folder = folder
    self.registry = registry
    runs = plan.runs(in: folder)
  }

  /// Trains what is not finished.
  /// - Parameter shouldStop: see `Trainer.run`; what is called again after that goes on.
  /// - Throws: what a run throws, other than `TrainingDiverged`, which is reported; `ComparisonError` where another
  ///   comparison runs in the folder, or files lie there that none wrote.
  public func run(observer: inout some TrainingObserver, shouldStop: () -> Bool = { false }) throws -> ComparisonReport {
    let lock: FolderLock
    do { lock = try FolderLock(folder) } catch { throw ComparisonError("\(error.path) \(error.reason)") }
    defer { withExtendedLifetime(lock) {} }
    try ComparisonReport.check(folder)
    var report = ComparisonReport(plan)
    var pending: [(run: ComparisonPlan.Run, record: RunRecord)] = []
    for run in runs {
      let record = try RunRecord(run.configuration)
      let known = RunRecord.read(in: run.configuration.train.output)
      if let outcome = known?.outcome, known?.isOfSameRun(as: record) == true {
        report.add(outcome, of: run)
      } else {
        pending.append((run, record))
      }
    }
    observer.note("\(plan.variants.count) variants x \(plan.seeds.count) seeds: \(pending.count) runs to do, \(runs.count - pending.count) finished before")
    try report.write(in: folder)
    let clock = ContinuousClock()
    let start = clock.now
    for (done, (run, record)) in pending.enumerated() {
      let name = "[\(done + 1)/\(pending.count)] \(plan.name(of: run.variant)), seed \(run.seed)"
      observer.note(name)
      let outcome = try outcome(of: run, record, &observer, shouldStop)
      report.add(outcome, of: run)
      try report.write(in: folder)
      let seconds = start.duration(to: clock.now) / (done + 1) * (pending.count - done - 1)
      observer.note("\(name): \(outcome.summary)\(done + 1 < pending.count ? "; about \(seconds.minutes) left" : "")")
    }
    return report
  }

  private func outcome(
    of run: ComparisonPlan.Run, _ record: RunRecord, _ observer: inout some TrainingObserver, _ shouldStop: () -> Bool
  ) throws -> RunRecord.Outcome {
    var record = record
    let output = run.configuration.train.output
    let interrupted = RunRecord.read(in: output)?.isOfSameRun(as: record) == true
    var trainer = try trainer(run.configuration, resume: interrupted, &observer)
    if !interrupted {
      // The old record first, as without it nothing in the folder counts; another run's checkpoint goes before the new record
      // says what is there.
      try RunRecord.remove(in: output)
      try trainer.prepare()
      try record.write(in: output)
    }
    var outcome = RunRecord.Outcome(result: nil, seconds: 0)
    do { outcome.result = try trainer.run(observer: &observer, shouldStop: shouldStop) } catch let error as TrainingDiverged {
      outcome.divergence = error.description
    }
    outcome.seconds = try Self.trainingSeconds(of: trainer.files)
    record.outcome = outcome
    try record.write(in: output)
    return outcome
  }

  /// The sum over all steps, those before an interruption included.
  private static func trainingSeconds(of files: RunFolder) throws -> Double {
    struct Line: Decodable { let seconds: Double? }
    return try OrdinaryFile.data(of: files.metrics).split(separator: UInt8(ascii: "\n")).reduce(0) {
      $0 + (try JSONDecoder().decode(Line.self, from: $1).seconds ?? 0)
    }
  }

  private func trainer(
    _ configuration: ExperimentConfiguration, resume: Bool, _ observer: inout some TrainingObserver
  ) throws -> Trainer {
    if resume, FileManager.default.fileExists(atPath: RunFolder(configuration.train.output).checkpoint) {
      do { return try Trainer(configuration, registry: registry, start: .resuming, observer: &observer) } catch {
        observer.note("starts anew, its checkpoint cannot be used: \(error)")
      }
    }
    return try Trainer(configuration, registry: registry, start: .overwriting, observer: &observer)
  }
}

extension RunRecord.Outcome {
  /// For a progress line.
  var summary: String {
    guard let result else { return divergence ?? "diverged" }
    return "AP \(String(format: "%.4f", result.ap)), \(String(format: "%.1f", seconds)) s"
  }
}

extension Duration {
  /// `2:05`
  var minutes: String {
    let seconds = Int(components.seconds)
    return "\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
  }
}

/// Why a comparison cannot begin.
public struct ComparisonError: Error, CustomStringConvertible, Hashable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
