import Foundation
import SamplingFree
import TestSupport
import Testing

@Suite struct TrainCommandTests {
  static func directory(_ yaml: String = TrainedRun.yaml) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    _ = try directory.write(yaml, to: "tiny.yaml")
    return directory
  }

  @Test func trainingLeavesWeightsCheckpointAndMetrics() throws {
    let run = try TrainedRun.get()
    #expect(run.result.status == 0, "\(run.result.messages)")
    let files = try FileManager.default.contentsOfDirectory(atPath: run.directory.file("run")).sorted()
    #expect(files == ["checkpoint.h5", "config.yaml", "metrics.jsonl", "weights.h5"])
    // Numbers to standard output, AP50 last; what happens to standard error, in plain lines.
    let lines = run.result.output.split(separator: "\n")
    #expect(lines.first?.hasPrefix("AP ") == true && lines.last?.hasPrefix("AP50 ") == true)
    #expect(Double(lines.last?.dropFirst(5) ?? "") != nil)
    let messages = run.result.messages
    for part in ["N / N_f = ", "classification bias", "step 1/3  loss", "step 2/3", "step 3/3", " left\n", "step 3: AP ", "weights: run/weights.h5"] {
      #expect(messages.contains(part), "\(part)\n\(messages)")
    }
    #expect(!messages.contains("\r") && !messages.contains("\u{1B}"))
  }

  @Test func theSameConfigurationGivesTheSameBytes() throws {
    let first = try TrainedRun.get()
    let second = try Self.directory()
    #expect(try Command.run("train", "tiny.yaml", in: second).status == 0)
    for file in ["run/weights.h5", "run/checkpoint.h5", "run/config.yaml"] {
      #expect(try bytes(of: first.directory.file(file)) == bytes(of: second.file(file)), "\(file)")
    }
  }

  /// Killed at any moment, a run resumes to the bytes of one that was left alone.
  @Test func aKilledRunResumes() throws {
    let directory = try Self.directory()
    let more = ["--set", "train.steps=60", "--set", "train.checkpointEvery=5", "--set", "train.logEvery=1"]
    let process = Command.process(["train", "tiny.yaml"] + more, in: directory.path)
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let checkpoint = directory.file("run/checkpoint.h5")
    while process.isRunning, !FileManager.default.fileExists(atPath: checkpoint) { usleep(2000) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    try #require(process.terminationReason == .uncaughtSignal, "the run was over before it could be killed")
    #expect(!FileManager.default.fileExists(atPath: directory.file("run/weights.h5")))
    let reached = try #require(WeightsFile.readCheckpoint(checkpoint).training["step"]?.first)
    #expect(reached >= 5 && reached < 60)

    let resumed = try Command.run(
      "train", "tiny.yaml", "--resume", "--set", "train.steps=60", "--set", "train.checkpointEvery=5", "--set", "train.logEvery=1",
      in: directory)
    #expect(resumed.status == 0 && resumed.messages.contains("resumed run/checkpoint.h5 at step \(Int(reached))"), "\(resumed.messages)")
    let steps = try String(contentsOfFile: directory.file("run/metrics.jsonl"), encoding: .utf8).split(separator: "\n")
    #expect(steps.count == 61)

    let whole = try Self.directory()
    #expect(
      try Command.run(
        "train", "tiny.yaml", "--set", "train.steps=60", "--set", "train.checkpointEvery=5", "--set", "train.logEvery=1", in: whole
      ).status == 0)
    for file in ["run/weights.h5", "run/checkpoint.h5"] {
      #expect(try bytes(of: directory.file(file)) == bytes(of: whole.file(file)), "\(file)")
    }
  }

  @Test func anEarlierRunIsNotOverwrittenUnasked() throws {
    let directory = try Self.directory()
    #expect(try Command.run("train", "tiny.yaml", in: directory).status == 0)
    let before = try bytes(of: directory.file("run/weights.h5"))
    let again = try Command.run("train", "tiny.yaml", "--set", "seed=4", in: directory)
    #expect(again.status == 1)
    #expect(again.messages.contains("run/weights.h5 is there already") && again.messages.contains("--overwrite"), "\(again.messages)")
    #expect(try bytes(of: directory.file("run/weights.h5")) == before)
    let both = try Command.run("train", "tiny.yaml", "--resume", "--overwrite", in: directory)
    #expect(both.status == 2 && both.messages.contains("not both"))
    #expect(try Command.run("train", "tiny.yaml", "--set", "seed=4", "--overwrite", in: directory).status == 0)
    #expect(try bytes(of: directory.file("run/weights.h5")) != before)
  }

  @Test func strategiesAreSwappedOnTheCommandLine() throws {
    let directory = try Self.directory()
    let result = try Command.run(
      "train", "tiny.yaml", "--set", "sampler.focal.gamma=1", "--set", "lossScaler=unscaled", "--set", "bias={ constant: { probability: 0.05 } }",
      "--set", "thresholder=fixed", in: directory)
    #expect(result.status == 0, "\(result.messages)")
    #expect(result.messages.contains("w 1 ") && result.messages.contains("classification bias -2.94443"), "\(result.messages)")
    let saved = try String(contentsOfFile: directory.file("run/config.yaml"), encoding: .utf8)
    #expect(try ExperimentConfiguration(yaml: saved, name: "saved").sampler == StrategyReference("focal", parameters: ["gamma": .int(1)]))
  }

  @Test func divergenceIsAnErrorWithItsStep() throws {
    let directory = try Self.directory()
    let result = try Command.run(
      "train", "tiny.yaml", "--set", "train.learningRate=100", "--set", "lossScaler=unscaled", "--set", "bias=constant", "--set",
      "train.steps=50", "--set", "train.momentum=1", "--set", "detector.backbone.normalization=frozenBatch", in: directory)
    #expect(result.status == 1)
    #expect(result.messages.contains("training diverged at step "), "\(result.messages)")
    #expect(!FileManager.default.fileExists(atPath: directory.file("run/weights.h5")))
  }

  /// What is wrong, where, and what would be right; status 1; nothing is written.
  @Test(arguments: [
    (["train", "tinny.yaml"], ["tinny.yaml", "tiny.yaml"]),
    (["train", "tiny.yaml", "--set", "train.stpes=3"], ["train.stpes", "did you mean \"steps\"?"]),
    (["train", "tiny.yaml", "--set", "train.steps=many"], ["train.steps", "whole number"]),
    (["train", "tiny.yaml", "--set", "train.steps=0"], ["train.steps", "1..."]),
    (["train", "tiny.yaml", "--set", "train.steps"], ["--set train.steps", "key=value"]),
    (["train", "tiny.yaml", "--set", "=3"], ["--set =3", "empty key"]),
    (["train", "tiny.yaml", "--set", "train.steps=[1"], ["--set train.steps", "YAML"]),
    (["train", "tiny.yaml", "--set", "sampler=fcal"], ["no sampler \"fcal\"", "did you mean \"focal\"?", "none"]),
    (["train", "tiny.yaml", "--set", "sampler.focal.gama=2"], ["no parameter \"gama\"", "gamma"]),
    (["train", "tiny.yaml", "--set", "sampler.focal.gamma=-1"], ["gamma", "0.0...10.0"]),
    (["train", "tiny.yaml", "--set", "lossScaler=giuded"], ["guided", "unscaled"]),
    (["train", "tiny.yaml", "--set", "data.name=digits-scenes"], ["digit-scenes", "tree-crowns", "coco"]),
    (["train", "tiny.yaml", "--set", "data.name=coco"], ["data.trainAnnotations"]),
    (["train", "tiny.yaml", "--set", "detector.backbone.depth=20"], ["18, 34, 50, 101"]),
    (["train", "tiny.yaml", "--set", "train.initialWeights=absent.h5"], ["absent.h5"]),
    (["train", "tiny.yaml", "--set", "train.initialWeights=tiny.yaml"], ["tiny.yaml", "not an HDF5 file"]),
    (["train", "tiny.yaml", "--resume"], ["run/checkpoint.h5"]),
    (["train", "tiny.yaml", "--set", "train.output=tiny.yaml/run"], ["tiny.yaml/run"]),
  ]) func mistakesAreExplained(arguments: [String], parts: [String]) throws {
    let directory = try Self.directory()
    let process = Command.process(arguments, in: directory.path)
    let pipe = Pipe()
    process.standardError = pipe
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let messages = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 1)
    for part in parts { #expect(messages.contains(part), "\(part): \(messages)") }
    #expect(messages.hasPrefix("Error: ") || messages.contains("\nError: "), "\(messages)")
    #expect(try directory.names == ["tiny.yaml"])
  }

  @Test func mistakesInTheFileNameItsLine() throws {
    let directory = try Self.directory(TrainedRun.yaml.replacing("  head:", with: "  haed:"))
    let result = try Command.run("train", "tiny.yaml", in: directory)
    #expect(result.status == 1)
    #expect(result.messages.contains("tiny.yaml:7: unknown key \"detector.haed\"") && result.messages.contains("did you mean \"head\"?"), "\(result.messages)")
  }

  @Test(arguments: [["trian"], ["train"], ["train", "a.yaml", "b.yaml"], ["train", "tiny.yaml", "--st", "a=b"], ["detect", "w.h5"]])
  func wrongUsageHasStatus2(arguments: [String]) throws {
    let directory = try Self.directory()
    let process = Command.process(arguments, in: directory.path)
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    let messages = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 2 && messages.contains("Usage: "), "\(messages)")
  }

  @Test func helpIsNoError() throws {
    let directory = try TemporaryDirectory()
    for arguments in [["--help"], ["help", "train"]] {
      let process = Command.process(arguments, in: directory.path)
      let pipe = Pipe()
      process.standardOutput = pipe
      try process.run()
      let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0 && output.contains("USAGE: "))
    }
  }
}
