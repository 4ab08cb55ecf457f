import Foundation
import SamplingFree
import TestSupport
import Testing

/// Runs that are repeated, interrupted and resumed.
@Suite(.serialized) struct ResumeTests {
  init() { useThreads(1) }

  /// The bytes of weights and checkpoint, whose folder is then emptied.
  static func results(of folder: RunFolder) throws -> [Data] {
    let results = try [bytes(of: folder.weights), bytes(of: folder.checkpoint)]
    try FileManager.default.removeItem(atPath: folder.path)
    return results
  }

  @Test(arguments: [1, 2]) func theSameSeedGivesTheSameBytes(threads: Int) throws {
    useThreads(threads)
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    let configuration = try TinyExperiment.configuration(output: folder.path, "train.steps=2")
    try TinyExperiment.train(configuration)
    let first = try Self.results(of: folder)
    try TinyExperiment.train(configuration)
    #expect(try Self.results(of: folder) == first)
    try TinyExperiment.train(TinyExperiment.configuration(output: folder.path, "train.steps=2", "seed=4"))
    #expect(try Self.results(of: folder) != first)
  }

  /// The checkpoint is taken away in the middle of a run that goes on, as a power cut would leave it; what resumes from it
  /// ends with the same bytes.
  @Test(arguments: ["guided", "unscaled"]) func resumedRunsEndAsUninterruptedOnes(lossScaler: String) throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    let configuration = try TinyExperiment.configuration(
      output: folder.path, "train.checkpointEvery=3", "train.evaluateEvery=3", "lossScaler=\(lossScaler)")
    let notes = Notes()
    let (saved, savedMetrics) = (directory.file("saved.h5"), directory.file("saved.jsonl"))
    notes.afterStep = { report in
      guard report.step == 4 else { return }
      try? FileManager.default.copyItem(atPath: folder.checkpoint, toPath: saved)
      try? FileManager.default.copyItem(atPath: folder.metrics, toPath: savedMetrics)
    }
    try TinyExperiment.train(configuration, observer: notes)
    let lines = try MetricsLine.read(folder)
    let whole = try Self.results(of: folder)

    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: saved, toPath: folder.checkpoint)
    // The run had come to step 4 and half a line.
    let half = try bytes(of: savedMetrics) + Data(#"{"step":5,"clas"#.utf8)
    try half.write(to: URL(fileURLWithPath: folder.metrics))
    let resumed = Notes()
    try TinyExperiment.train(configuration, start: .resuming, observer: resumed)
    #expect(resumed.reports.map(\.step) == [3, 4, 5])
    #expect(resumed.notes.contains("resumed \(folder.checkpoint) at step 3"))
    let ownLines = try MetricsLine.read(folder)
    #expect(ownLines.map(\.step) == lines.map(\.step) && ownLines.map(\.loss) == lines.map(\.loss))
    #expect(ownLines.map { $0.evaluation?.ap50 } == lines.map { $0.evaluation?.ap50 })
    #expect(try Self.results(of: folder) == whole)
  }

  @Test func aFinishedRunCanBeProlonged() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    try TinyExperiment.train(TinyExperiment.configuration(output: folder.path, "train.steps=4"))
    let notes = Notes()
    try TinyExperiment.train(TinyExperiment.configuration(output: folder.path), start: .resuming, observer: notes)
    #expect(notes.reports.map(\.step) == [4, 5] && notes.evaluations == [6])
    #expect(try MetricsLine.read(folder).map(\.step) == [0, 1, 2, 3, 4, 4, 5, 6])
    let prolonged = try Self.results(of: folder)
    try TinyExperiment.train(TinyExperiment.configuration(output: folder.path))
    #expect(try Self.results(of: folder) == prolonged)
  }

  /// Nothing is left to do: the weights stay, the evaluation is made again.
  @Test func aFinishedRunResumesToItself() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    let configuration = try TinyExperiment.configuration(output: folder.path, "train.steps=2")
    try TinyExperiment.train(configuration)
    let before = try bytes(of: folder.weights)
    try TinyExperiment.train(configuration, start: .resuming)
    #expect(try bytes(of: folder.weights) == before)
    #expect(try MetricsLine.read(folder).map(\.step) == [0, 1, 2])
  }

  @Test func resultsAreNotOverwrittenUnasked() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    let configuration = try TinyExperiment.configuration(output: folder.path, "train.steps=2")
    try TinyExperiment.train(configuration)
    let before = try bytes(of: folder.weights)
    let error = try thrown(TrainingError.self) { try TinyExperiment.train(configuration) }
    #expect(error.description.contains(folder.weights) && error.description.contains("--resume"), "\(error)")
    #expect(try bytes(of: folder.weights) == before)

    let other = try TinyExperiment.configuration(output: folder.path, "train.steps=3", "seed=9")
    let notes = Notes()
    notes.afterStep = { _ in
      // Nobody shall resume the old run, or take its weights for the new one's.
      #expect(!FileManager.default.fileExists(atPath: folder.weights) && !FileManager.default.fileExists(atPath: folder.checkpoint))
    }
    try TinyExperiment.train(other, start: .overwriting, observer: notes)
    #expect(try bytes(of: folder.weights) != before)
    #expect(try MetricsLine.read(folder).map(\.step) == [0, 1, 2, 3])
  }

  @Test func whatCannotBeResumedIsNamed() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    let configuration = try TinyExperiment.configuration(output: folder.path, "train.steps=2")
    let absent = try thrown(TrainingError.self) { try TinyExperiment.train(configuration, start: .resuming) }
    #expect(absent.description.contains(folder.checkpoint))
    try TinyExperiment.train(configuration)

    let wider = try TinyExperiment.configuration(output: folder.path, "detector.head.channels=16")
    let unfit = try thrown(TrainingError.self) { try TinyExperiment.train(wider, start: .resuming) }
    #expect(unfit.description.contains(folder.checkpoint) && unfit.description.contains("heads/"), "\(unfit)")
    #expect(unfit.description.split(separator: "\n").count < 8)
    let trees = try TinyExperiment.configuration(output: folder.path, "data.name=tree-crowns")
    #expect(throws: TrainingError.self) { try TinyExperiment.train(trees, start: .resuming) }

    let whole = try bytes(of: folder.checkpoint)
    try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: folder.checkpoint))
    let cut = try thrown(HDF5Error.self) { try TinyExperiment.train(configuration, start: .resuming) }
    #expect(cut.description.contains(folder.checkpoint))
  }
}
