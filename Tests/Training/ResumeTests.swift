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

  // MARK: Stopping

  /// Stops a run where asked to, resumes it, and compares with one that was left alone.
  @Test(arguments: [0, 1, 3, 4, 6]) func aRunThatIsStoppedLosesNothing(steps: Int) throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    let configuration = try TinyExperiment.configuration(output: folder.path, "train.evaluateEvery=3", "thresholder=calibrated")
    try TinyExperiment.train(configuration)
    let lines = try MetricsLine.read(folder)
    let whole = try Self.results(of: folder)

    // Asked during the evaluation after step 3 and the last one, otherwise between two steps.
    let notes = Notes()
    let error = try thrown(TrainingInterrupted.self) {
      try TinyExperiment.train(configuration, observer: notes, shouldStop: { notes.reports.count >= steps })
    }
    #expect(error.step == steps && error.steps == 6 && error.checkpoint == folder.checkpoint)
    #expect(try WeightsFile.readCheckpoint(folder.checkpoint).training["step"] == [Double(steps)])
    #expect(!FileManager.default.fileExists(atPath: folder.weights))
    let resumed = Notes()
    try TinyExperiment.train(configuration, start: .resuming, observer: resumed)
    #expect(resumed.reports.map(\.step) == Array(steps..<6))
    let own = try MetricsLine.read(folder)
    #expect(own.map(\.step) == lines.map(\.step) && own.map(\.loss) == lines.map(\.loss))
    #expect(own.map { $0.evaluation?.ap50 } == lines.map { $0.evaluation?.ap50 })
    #expect(try Self.results(of: folder) == whole)
  }

  @Test func checkpointsAreWrittenByTheClockUnlessConfigured() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    for (every, interval, expected) in [(0, Duration.zero, [1.0, 2, 3, 4, 5]), (0, .seconds(300), []), (2, .zero, [2, 2, 4, 4])] {
      let configuration = try TinyExperiment.configuration(output: folder.path, "train.checkpointEvery=\(every)")
      var found: [Double] = []
      let notes = Notes()
      notes.afterStep = { _ in
        if let step = try? WeightsFile.readCheckpoint(folder.checkpoint).training["step"]?.first { found.append(step) }
      }
      var observer = notes
      var trainer = try Trainer(configuration, registry: .standard, observer: &observer)
      trainer.checkpointInterval = interval
      _ = try trainer.run(observer: &observer)
      // A step's checkpoint is written after its report: what is found after step 6 is that of step 5.
      #expect(found == expected, "every \(every), \(interval)")
      try FileManager.default.removeItem(atPath: folder.path)
    }
  }

  // MARK: Changes

  @Test func changedDataAreCountedAnew() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    try TinyExperiment.train(TinyExperiment.configuration(output: folder.path, "train.steps=2"))
    let before = try #require(WeightsFile.read(folder.weights).metadata.statistics)
    for (change, parts) in [
      ("data.trainCount=14", ["images 12 -> 14", "N \(before.anchorCount) -> ", "N_j ", "objects "]),
      ("detector.matcher.foreground=0.6", ["N_f \(before.foregroundCount) -> "]), ("detector.anchors.sizes=[10, 16, 24]", ["N_f "]),
    ] {
      let notes = Notes()
      let configuration = try TinyExperiment.configuration(output: folder.path, "train.steps=2", change)
      try TinyExperiment.train(configuration, start: .resuming, observer: notes)
      let key = String(change.prefix { $0 != "=" })
      #expect(notes.notes.contains { $0.hasPrefix("  differs from the checkpoint's: \(key): ") }, "\(notes.notes)")
      let line = try #require(notes.notes.first { $0.contains("have changed since the checkpoint; counted anew: ") }, "\(notes.notes)")
      for part in parts { #expect(line.contains(part), "\(line)") }
      let statistics = try #require(WeightsFile.read(folder.weights).metadata.statistics)
      #expect(statistics != before && statistics.foregroundCount != before.foregroundCount)
      // And back.
      try TinyExperiment.train(TinyExperiment.configuration(output: folder.path, "train.steps=2"), start: .resuming)
      #expect(try WeightsFile.read(folder.weights).metadata.statistics == before)
    }
  }

  @Test func whatDiffersFromTheCheckpointsConfigurationIsSaid() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    try TinyExperiment.train(TinyExperiment.configuration(output: folder.path, "train.steps=2"))
    func notes(_ overrides: [String]) throws -> [String] {
      let notes = Notes()
      let configuration = try ExperimentConfiguration(
        yaml: TinyExperiment.yaml, name: "tiny", overrides: ["train.output=\(folder.path)", "train.steps=2"] + overrides)
      var observer = notes
      _ = try Trainer(configuration, registry: .standard, start: .resuming, observer: &observer)
      // The data's own lines are no differences.
      return notes.notes.filter { !$0.hasPrefix("no objects of ") }
    }
    #expect(try notes([]) == ["resumed \(folder.checkpoint) at step 2"])
    #expect(try notes(["train.logEvery=7", "train.checkpointEvery=3"]).count == 1)
    #expect(try notes(["seed=4", "train.batchSize=3", "sampler=focal", "train.learningRate=0.02"]).filter { $0.contains("counted anew") }.count == 1)
    let lines = try notes(["train.batchSize=3", "sampler=focal", "train.learningRate=0.02", "train.steps=1"])
    #expect(lines.dropFirst() == [
      #"  differs from the checkpoint's: sampler: "none" -> "focal""#, "  differs from the checkpoint's: train.steps: 2 -> 1",
      "  differs from the checkpoint's: train.batchSize: 2 -> 3", "  differs from the checkpoint's: train.learningRate: 0.01 -> 0.02",
      "  nothing is left to train: the checkpoint is past train.steps, 1",
    ])
  }
}
