import Foundation
import SamplingFree
import TestSupport
import Testing

/// Processes that are killed at random moments, and disks that are full at every write: what resumes ends with the same
/// bytes. `make kill-test KILLS=100` kills that often, and bounds files at as many sizes.
@Suite(.serialized) struct KillTests {
  static let kills = Int(ProcessInfo.processInfo.environment["KILLS"] ?? "") ?? 3
  static let more = ["--set", "train.steps=30", "--set", "train.checkpointEvery=2", "--set", "train.evaluateEvery=7"]

  /// Starts the command again and again and kills it, each time after another while, until it has been killed often enough;
  /// then lets it end.
  /// - Parameter arguments: of the next start.
  static func kill(in directory: TemporaryDirectory, seed: UInt64, _ arguments: () -> [String]) throws {
    let clock = ContinuousClock()
    var generator = SeededGenerator(seed: seed)
    // A start takes a while, and what is killed before its first checkpoint only starts again.
    var longest = 0.6
    for _ in 0..<kills {
      let run = try RunningCommand(arguments(), in: directory)
      let end = clock.now + .seconds(Double(generator.uniform()) * longest)
      while run.process.isRunning, clock.now < end { usleep(500) }
      if run.process.isRunning {
        run.send(SIGKILL)
        #expect(run.finish() == 1000 + SIGKILL)
        longest *= 1.3
      } else {
        #expect(run.finish() == 0, "\(run.messages)")
        longest *= 0.7
      }
    }
    let last = try Command.run(arguments(), in: directory)
    #expect(last.status == 0, "\(last.messages)")
  }

  static func temporaries(in directory: TemporaryDirectory) -> [String] {
    (try? FileManager.default.subpathsOfDirectory(atPath: directory.path).filter { $0.hasSuffix(".temporary") }) ?? []
  }

  @Test func trainingThatIsKilledEndsWithTheSameBytes() throws {
    let whole = try TrainCommandTests.directory()
    #expect(try Command.run(["train", "tiny.yaml"] + Self.more, in: whole).status == 0)
    let directory = try TrainCommandTests.directory()
    try Self.kill(in: directory, seed: 1) {
      let checkpoint = directory.file("run/checkpoint.h5")
      guard FileManager.default.fileExists(atPath: checkpoint) else { return ["train", "tiny.yaml"] + Self.more }
      #expect(throws: Never.self) { try WeightsFile.readCheckpoint(checkpoint) }
      return ["train", "tiny.yaml", "--resume"] + Self.more
    }
    #expect(try InterruptionTests.results(in: directory) == InterruptionTests.results(in: whole))
    #expect(try Self.steps(in: directory) == Self.steps(in: whole), "a line of metrics a step and an evaluation")
    #expect(Self.temporaries(in: directory).isEmpty)
  }

  static func steps(in directory: TemporaryDirectory) throws -> [Int] {
    struct Line: Decodable { let step: Int }
    return try String(contentsOfFile: directory.file("run/metrics.jsonl"), encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8)).step
    }
  }

  @Test func aComparisonThatIsKilledEndsWithTheSameTables() throws {
    let arguments = ["compare", "tiny.yaml", "--vary", "sampler=none,focal", "--seeds", "0", "--output", "run"] + Self.more
    let whole = try TrainCommandTests.directory()
    #expect(try Command.run(arguments, in: whole).status == 0)
    let directory = try TrainCommandTests.directory()
    try Self.kill(in: directory, seed: 2) { arguments }
    for sampler in ["none", "focal"] {
      for file in ["weights.h5", "checkpoint.h5", "config.yaml"] {
        let path = "run/runs/sampler=\(sampler)/seed-0/\(file)"
        #expect(try bytes(of: directory.file(path)) == bytes(of: whole.file(path)), "\(path)")
      }
    }
    // All but the seconds.
    let tables = try [directory, whole].map { directory in
      try String(contentsOfFile: directory.file("run/runs.csv"), encoding: .utf8).split(separator: "\n").map { $0.split(separator: ",").dropLast() }
    }
    #expect(tables[0] == tables[1])
    #expect(Self.temporaries(in: directory).isEmpty)
  }

  // MARK: Full disks

  /// A bound on the size of files fails the first write beyond it, as a full disk does.
  @Test func aDiskThatIsFullAtAnyWriteLosesNothing() throws {
    let whole = try TrainCommandTests.directory()
    let arguments = ["train", "tiny.yaml", "--set", "train.steps=6", "--set", "train.checkpointEvery=2"]
    #expect(try Command.run(arguments, in: whole).status == 0)
    let sizes = try ["config.yaml", "metrics.jsonl", "checkpoint.h5", "weights.h5"].map { try bytes(of: whole.file("run/\($0)")).count }
    // In the middle of each file, and at its very end.
    var limits = Set(sizes.flatMap { [$0 / 2, $0 - 1] } + [0, 1])
    if Self.kills > 10 { limits.formUnion(stride(from: 0, to: sizes[3], by: max(1, sizes[3] / Self.kills))) }
    for limit in limits.sorted() {
      let directory = try TrainCommandTests.directory()
      let process = Command.process([], in: directory.path)
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      // Bytes exactly, which `ulimit -f` does not take.
      process.arguments = ["sh", "-c", "trap '' XFSZ; exec prlimit --fsize=\(limit) \"$0\" \"$@\"", Command.executable.path] + arguments
      let pipe = Pipe()
      process.standardError = pipe
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      let messages = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 1, "\(limit): \(messages)")
      let error = try #require(messages.split(separator: "\n").last)
      #expect(error.hasPrefix("Error: ") && error.contains("run") && error.contains("File too large"), "\(limit): \(messages)")
      #expect(Self.temporaries(in: directory).isEmpty, "\(limit)")
      let checkpoint = directory.file("run/checkpoint.h5")
      let isResumed = FileManager.default.fileExists(atPath: checkpoint)
      if isResumed { #expect(throws: Never.self) { try WeightsFile.readCheckpoint(checkpoint) } }
      let again = try Command.run(arguments + (isResumed ? ["--resume"] : []), in: directory)
      #expect(again.status == 0, "\(limit): \(again.messages)")
      #expect(try InterruptionTests.results(in: directory) == InterruptionTests.results(in: whole), "\(limit)")
    }
  }
}
