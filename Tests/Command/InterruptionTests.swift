import Foundation
import SamplingFree
import TestSupport
import Testing

/// Runs that are told to stop, compared with runs that were left alone: the same bytes.
@Suite(.serialized) struct InterruptionTests {
  static let more = ["--set", "train.steps=40", "--set", "train.logEvery=1"]

  /// The bytes of an uninterrupted run's results.
  private static let whole = Result {
    let directory = try TrainCommandTests.directory()
    try #require(try Command.run(["train", "tiny.yaml"] + more, in: directory).status == 0)
    return try results(in: directory)
  }

  static func results(in directory: TemporaryDirectory) throws -> [Data] {
    try ["weights.h5", "checkpoint.h5"].map { try bytes(of: directory.file("run/\($0)")) }
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGUSR1]) func aSignalEndsTrainingWithACheckpointAndTheWayOn(signal: Int32) throws {
    let directory = try TrainCommandTests.directory()
    let run = try RunningCommand(["train", "tiny.yaml", "--overwrite"] + Self.more, in: directory)
    run.wait(for: "step 3/40")
    run.send(signal)
    #expect(run.finish() == 128 + signal, "\(run.messages)")
    let step = try #require(try WeightsFile.readCheckpoint(directory.file("run/checkpoint.h5")).training["step"]?.first)
    #expect(step >= 3 && step < 40)
    let command = "\(Command.executable.path) train tiny.yaml \(Self.more.joined(separator: " ")) --resume"
    #expect(
      run.messages.hasSuffix("interrupted after step \(Int(step)) of 40, which run/checkpoint.h5 holds; to go on:\n  \(command)\n"), "\(run.messages)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("run")).sorted() == ["checkpoint.h5", "config.yaml", "metrics.jsonl"])

    let resumed = try Command.run(["train", "tiny.yaml", "--resume"] + Self.more, in: directory)
    #expect(resumed.status == 0, "\(resumed.messages)")
    #expect(try Self.results(in: directory) == Self.whole.get())
  }

  @Test func aSecondSignalEndsAtOnce() throws {
    let directory = try TrainCommandTests.directory()
    // Steps of many seconds.
    let run = try RunningCommand(
      ["train", "tiny.yaml"] + ["input.width=512", "input.height=512", "detector.backbone.width=64", "train.batchSize=16"].flatMap { ["--set", $0] },
      in: directory)
    run.wait(for: "classification bias")
    usleep(200_000)
    run.send(SIGTERM)
    // What a launcher sends twice counts once.
    run.send(SIGTERM)
    usleep(1_300_000)
    #expect(run.process.isRunning)
    run.send(SIGINT)
    #expect(run.finish() == 1000 + SIGINT)
    #expect(try !FileManager.default.contentsOfDirectory(atPath: directory.file("run")).contains("checkpoint.h5"))
  }

  /// As `nohup` starts it.
  @Test func anIgnoredSignalStaysIgnored() throws {
    let directory = try TrainCommandTests.directory()
    let process = Command.process([], in: directory.path)
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c", "trap '' HUP; \"$0\" train tiny.yaml --set train.steps=20 & until [ -f run/metrics.jsonl ]; do sleep 0.01; done; kill -HUP $!; wait $!",
      Command.executable.path,
    ]
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(FileManager.default.fileExists(atPath: directory.file("run/weights.h5")))
  }

  /// `train ... 2>&1 | head -3`
  @Test func aReaderThatGoesAwayEndsTrainingQuietly() throws {
    let directory = try TrainCommandTests.directory()
    let result = try shell("(\"$0\" train tiny.yaml \(Self.more.joined(separator: " ")); echo $? > status) 2>&1 | head -3", in: directory)
    #expect(result.output.split(separator: "\n").count == 3, "\(result.output)")
    #expect(try String(contentsOfFile: directory.file("status"), encoding: .utf8) == "141\n")
    #expect(try Command.run(["train", "tiny.yaml", "--resume"] + Self.more, in: directory).status == 0)
    #expect(try Self.results(in: directory) == Self.whole.get())
  }

  @Test func aComparisonThatIsToldToStopGoesOnWhenCalledAgain() throws {
    let directory = try TrainCommandTests.directory()
    let arguments = ["compare", "tiny.yaml", "--vary", "sampler=none,focal", "--seeds", "0", "--set", "train.steps=20", "--set", "train.logEvery=1"]
    let run = try RunningCommand(arguments + ["--output", "stopped"], in: directory)
    run.wait(for: "[2/2]")
    run.wait(for: "step 3/20")
    run.send(SIGINT)
    #expect(run.finish() == 128 + SIGINT, "\(run.messages)")
    #expect(run.messages.contains("; to go on:\n  \(Command.executable.path) compare tiny.yaml --vary sampler=none,focal "), "\(run.messages)")
    let again = try Command.run(arguments + ["--output", "stopped"], in: directory)
    #expect(again.status == 0 && again.messages.contains("1 runs to do, 1 finished before"), "\(again.messages)")
    #expect(try Command.run(arguments + ["--output", "whole"], in: directory).status == 0)
    for sampler in ["none", "focal"] {
      let weights = try ["stopped", "whole"].map { try WeightsFile.read(directory.file("\($0)/runs/sampler=\(sampler)/seed-0/weights.h5")).tensors }
      #expect(weights[0] == weights[1])
    }
  }

  // MARK: Two at once

  @Test(arguments: [[], ["--overwrite"], ["--resume"]]) func aSecondRunInAFolderIsRefusedAtOnce(options: [String]) throws {
    let directory = try TrainCommandTests.directory()
    let run = try RunningCommand(["train", "tiny.yaml"] + Self.more, in: directory)
    run.wait(for: "step 2/40")
    let second = try Command.run(["train", "tiny.yaml", "--set", "seed=9"] + options, in: directory)
    #expect(second.status == 1)
    #expect(second.messages.hasPrefix("Error: train.output: run is in use by process \(run.process.processIdentifier) on "), "\(second.messages)")
    #expect(second.messages.split(separator: "\n").count == 1)
    #expect(run.finish() == 0)
    #expect(try Self.results(in: directory) == Self.whole.get())
  }

  // MARK: Output

  @Test(arguments: ["strategies", "inspect weights.h5", "--help", "evaluate tiny.yaml weights.h5", "evaluate tiny.yaml weights.h5 --json", "train tiny.yaml"])
  func outputThatDoesNotGetThroughIsAnError(arguments: String) throws {
    let trained = try TrainedRun.get()
    let directory = try TrainCommandTests.directory()
    try FileManager.default.copyItem(atPath: trained.weights, toPath: directory.file("weights.h5"))
    let full = try shell("\"$0\" \(arguments) > /dev/full", in: directory)
    #expect(full.status == 1 && full.messages.hasSuffix("Error: standard output: No space left on device\n"), "\(full.messages)")
    // A file that is opened next must not take the place of what is closed.
    let closed = try shell("\"$0\" \(arguments.replacing("train tiny.yaml", with: "train tiny.yaml --overwrite")) >&-", in: directory)
    #expect(closed.status == 1 && closed.messages.hasSuffix("Error: standard output: Bad file descriptor\n"), "\(closed.messages)")
    #expect(throws: Never.self) { try WeightsFile.read(directory.file("weights.h5")) }
  }

  private func shell(_ script: String, in directory: TemporaryDirectory) throws -> (status: Int32, output: String, messages: String) {
    let process = Command.process([], in: directory.path)
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", script, Command.executable.path]
    let (output, messages) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = messages
    try process.run()
    let text = String(decoding: messages.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self), text)
  }
}
