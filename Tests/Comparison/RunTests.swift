import Files
import Foundation
import SamplingFree
import TestSupport
import Testing

@Suite(.serialized) struct RunTests {
  let bench: Bench

  init() throws { bench = try Bench() }

  @Test func finishedRunsAreKeptAndWhatIsNewIsTrained() throws {
    let first = try bench.run(bench.plan("sampler=none,focal", seeds: [0, 1]))
    #expect(first.diary.steps.count == 4 * 4)
    #expect(first.report.outcomes.allSatisfy { $0.count == 2 })
    let table = try bench.text("runs.csv")

    let again = try bench.run(bench.plan("sampler=none,focal", seeds: [0, 1]))
    #expect(again.diary.steps.isEmpty)
    #expect(again.diary.notes.first?.contains("0 runs to do, 4 finished before") == true)
    #expect(try bench.text("runs.csv") == table)

    let more = try bench.run(bench.plan("sampler=none,focal", seeds: [0, 1, 2]))
    #expect(more.diary.steps.count == 2 * 4)
    let moved = "\(bench.folder)/moved"
    try FileManager.default.moveItem(atPath: bench.output, toPath: moved)
    #expect(try bench.run(bench.plan("sampler=none,focal", seeds: [0, 1, 2]), into: moved).diary.steps.isEmpty)
  }

  @Test func aChangedConfigurationTrainsAnewAndHowOftenItReportsDoesNotCount() throws {
    try bench.run(bench.plan("sampler=none"))
    #expect(try bench.run(bench.plan("sampler=none", overrides: ["train.logEvery=1", "train.checkpointEvery=3"])).diary.steps.isEmpty)
    #expect(try bench.run(bench.plan("sampler=none", overrides: ["train.learningRate=0.02"])).diary.steps == [0, 1, 2, 3])
    #expect(try bench.run(bench.plan("sampler=none", overrides: ["train.learningRate=0.02"])).diary.steps.isEmpty)
  }

  @Test func aPluginThatWasBuiltAnewTrainsAnew() throws {
    let plugin = "\(bench.folder)/libX.so"
    try bench.write("one build", to: "libX.so")
    try bench.run(bench.plan("sampler=none", plugins: [plugin]))
    #expect(try bench.run(bench.plan("sampler=none", plugins: [plugin])).diary.steps.isEmpty)
    try bench.write("another", to: "libX.so")
    #expect(try bench.run(bench.plan("sampler=none", plugins: [plugin])).diary.steps.count == 4)
  }

  @Test func anInterruptedRunGoesOnFromItsCheckpointAsIfNothingHadHappened() throws {
    let plan = try bench.plan("sampler=none,focal", overrides: ["lossScaler=stumbling", "train.checkpointEvery=1"])
    let whole = "\(bench.folder)/whole"
    try bench.run(plan, into: whole)

    Stumbling.isPowered.withLock { $0 = false }
    #expect(throws: PowerCut.self) { try bench.run(plan) }
    #expect(try bench.text("runs.csv").contains("none,0,to do"))
    Stumbling.isPowered.withLock { $0 = true }
    let resumed = try bench.run(plan)
    #expect(resumed.diary.steps == [2, 3, 0, 1, 2, 3])

    let weights = "runs/sampler=none/seed-0/weights.h5"
    #expect(try WeightsFile.read("\(bench.output)/\(weights)").tensors == WeightsFile.read("\(whole)/\(weights)").tensors)
  }

  @Test func anInterruptedRunOfAnotherConfigurationStartsAnew() throws {
    Stumbling.isPowered.withLock { $0 = false }
    defer { Stumbling.isPowered.withLock { $0 = true } }
    #expect(throws: PowerCut.self) { try bench.run(bench.plan("sampler=none", overrides: ["lossScaler=stumbling", "train.checkpointEvery=1"])) }
    Stumbling.isPowered.withLock { $0 = true }
    let changed = try bench.run(bench.plan("sampler=none", overrides: ["lossScaler=stumbling", "train.learningRate=0.02"]))
    #expect(changed.diary.steps == [0, 1, 2, 3])
  }

  @Test func aDamagedCheckpointStartsAnew() throws {
    let plan = try bench.plan("sampler=none", overrides: ["lossScaler=stumbling", "train.checkpointEvery=1"])
    Stumbling.isPowered.withLock { $0 = false }
    #expect(throws: PowerCut.self) { try bench.run(plan) }
    Stumbling.isPowered.withLock { $0 = true }
    let checkpoint = "\(bench.output)/runs/sampler=none/seed-0/checkpoint.h5"
    try Data("not HDF5".utf8).write(to: URL(fileURLWithPath: checkpoint))
    let resumed = try bench.run(plan)
    #expect(resumed.diary.steps == [0, 1, 2, 3])
    #expect(resumed.diary.notes.contains { $0.hasPrefix("starts anew, its checkpoint cannot be used:") })
  }

  @Test func aDivergedRunIsReportedAndTheOthersAreTrained() throws {
    let plan = try bench.plan("lossScaler=exploding,unscaled", seeds: [0, 1])
    let (report, diary) = try bench.run(plan)
    #expect(report.diverged(0) == [0, 1] && report.diverged(1).isEmpty)
    #expect(report.values(\.ap, of: 0).isEmpty && report.values(\.ap, of: 1).count == 2)
    #expect(report.remarks(on: 0) == "2 of 2 diverged")
    #expect(diary.steps.count == 2 * 2 + 2 * 4)
    #expect(try bench.text("comparison.md").contains("- lossScaler=exploding, seed 0: training diverged at step 2"))
    #expect(try bench.text("runs.csv").contains("exploding,0,diverged,,,,"))
    #expect(try bench.run(plan).diary.steps.isEmpty)
  }

  @Test func twoComparisonsDoNotShareAFolder() throws {
    try FileManager.default.createDirectory(atPath: bench.output, withIntermediateDirectories: true)
    let file = open("\(bench.output)/.lock", O_CREAT | O_RDWR, 0o644)
    try #require(flock(file, LOCK_EX | LOCK_NB) == 0)
    #expect { try bench.run(bench.plan("sampler=none")) } throws: {
      "\($0)" == "\(bench.output) is in use by another process"
    }
    close(file)
    #expect(try bench.run(bench.plan("sampler=none")).diary.steps.count == 4)
  }

  /// A run of the comparison is a run like any other: whoever trains in its folder keeps the comparison out.
  @Test func aRunsFolderIsLockedToo() throws {
    let plan = try bench.plan("sampler=none")
    let folder = plan.runs(in: bench.output)[0].configuration.train.output
    let lock = try FolderLock(folder)
    #expect { try bench.run(plan) } throws: { "\($0)".hasPrefix("train.output: \(folder) is in use by process \(getpid()) on ") }
    withExtendedLifetime(lock) {}
  }

  @Test func whatIsAskedToStopGoesOnWhenCalledAgain() throws {
    let plan = try bench.plan("sampler=none,focal")
    let whole = "\(bench.folder)/whole"
    try bench.run(plan, into: whole)
    let error = try thrown(TrainingInterrupted.self) { try bench.run(plan, stoppingAfter: 6) }
    #expect(error.step == 2 && error.steps == 4)
    #expect(try bench.text("runs.csv").contains("focal,0,to do"))
    let resumed = try bench.run(plan)
    #expect(resumed.diary.steps == [2, 3])
    for run in ["none", "focal"] {
      let weights = "runs/sampler=\(run)/seed-0/weights.h5"
      #expect(try WeightsFile.read("\(bench.output)/\(weights)").tensors == WeightsFile.read("\(whole)/\(weights)").tensors)
    }
  }

  @Test(arguments: ["comparison.md", "comparison.csv", "runs.csv", "comparison.png", "runs/sampler=none/seed-0/run.json", "runs/sampler=none/seed-0/weights.h5"])
  func filesThatNoComparisonWroteStay(name: String) throws {
    let file = "\(bench.output)/\(name)"
    try FileManager.default.createDirectory(
      at: URL(fileURLWithPath: file).deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("somebody's".utf8).write(to: URL(fileURLWithPath: file))
    #expect { try bench.run(bench.plan("sampler=none")) } throws: { "\($0)".contains("\(name) is there, and no ") }
    #expect(try bench.text(name) == "somebody's")
    #expect(!FileManager.default.fileExists(atPath: "\(bench.output)/.lock"))
  }

  @Test func seedsAreSharedSoThatVariantsStartFromTheSameWeights() throws {
    try bench.run(bench.plan("lossScaler=unscaled,guided", overrides: ["train.steps=1", "train.learningRate=0"]))
    let weights = try ["unscaled", "guided"].map {
      try WeightsFile.read("\(bench.output)/runs/lossScaler=\($0)/seed-0/weights.h5").tensors["backbone/stem/conv/kernel"]
    }
    #expect(weights[0] != nil && weights[0] == weights[1])
  }
}
