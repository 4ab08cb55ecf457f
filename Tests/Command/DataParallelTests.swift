import Foundation
import SamplingFree
import TestSupport
import Testing

/// `mpirun -n 2 sampling-free train ...`, as a user runs it.
@Suite(.serialized) struct DataParallelTests {
  static let more = ["--set", "input.flip=0.5", "--set", "train.steps=5"]

  /// Runs to the end.
  /// - Returns: what a run of `images` a step reported.
  static func train(ranks: Int?, images: Int, _ overrides: [String]) throws -> (steps: [StepReport], output: String) {
    let directory = try TrainCommandTests.directory()
    let size = ["train.batchSize=\(images / (ranks ?? 1))"]
    let arguments = ["train", "tiny.yaml"] + more + (size + overrides).flatMap { ["--set", $0] }
    let result = try Command.run(arguments, in: directory, ranks: ranks)
    try #require(result.status == 0, "\(result.messages)")
    let lines = try String(contentsOfFile: directory.file("run/metrics.jsonl"), encoding: .utf8).split(separator: "\n")
    return (lines.compactMap { try? JSONDecoder().decode(StepReport.self, from: Data($0.utf8)) }, result.output)
  }

  /// Batch normalisation is over all images in both, as are w, N_f and what a sampler counts.
  @Test(arguments: [
    ["sampler=none"], ["sampler=focal", "lossScaler=unscaled"], ["sampler=ghm", "loss.regression=ghm"],
    ["sampler={ ohem: { count: 40 } }"], ["sampler={ biased: { count: 24 } }"],
    ["train.accumulate=2", "detector.backbone.normalization=frozenBatch"],
  ])
  func twoProcessesAreOneWithTwiceTheBatch(overrides: [String]) throws {
    let (one, oneOutput) = try Self.train(ranks: nil, images: 4, overrides)
    let (two, twoOutput) = try Self.train(ranks: 2, images: 4, overrides)
    #expect(one.count == 5 && two.count == 5)
    for (a, b) in zip(one, two) {
      #expect(a.foreground == b.foreground && a.images == b.images && a.learningRate == b.learningRate)
      for value in [\StepReport.loss, \.classification, \.regression, \.scale, \.regressionScale] {
        let (x, y) = (a[keyPath: value], b[keyPath: value])
        #expect(abs(x - y) <= 1e-5 * abs(x), "step \(a.step): \(x), \(y)")
      }
      #expect(abs(a.gradientNorm - b.gradientNorm) <= 1e-4 * a.gradientNorm, "\(a.gradientNorm), \(b.gradientNorm)")
      #expect(a.exchangeSeconds == 0 && b.exchangeSeconds > 0 && b.exchangeSeconds < b.seconds)
    }
    #expect(oneOutput.split(separator: "\n").count == twoOutput.split(separator: "\n").count, "one table, not two")
  }

  /// Three processes resume to the bytes of three that were left alone.
  @Test func processesResumeTogether() throws {
    let directory = try TrainCommandTests.directory()
    func train(_ arguments: String...) throws -> Command.Result {
      try Command.run(["train", "tiny.yaml", "--set", "train.batchSize=1"] + arguments, in: directory, ranks: 3)
    }
    #expect(try train("--set", "train.steps=2").status == 0)
    let resumed = try train("--resume", "--set", "train.steps=4")
    #expect(resumed.status == 0 && resumed.messages.contains("at step 2"), "\(resumed.messages)")
    #expect(resumed.messages.contains("3 processes (threads: 1), 3 images a step"), "\(resumed.messages)")
    let weights = try bytes(of: directory.file("run/weights.h5"))
    let again = try train("--set", "train.steps=4")
    #expect(again.status == 1 && again.messages.contains("is there already"), "\(again.messages)")
    #expect(try train("--overwrite", "--set", "train.steps=4").status == 0)
    #expect(try bytes(of: directory.file("run/weights.h5")) == weights)
  }

  // MARK: Errors

  /// A damaged image that one process alone reads ends all of them.
  @Test func anErrorOfOneProcessEndsAll() throws {
    let directory = try TrainCommandTests.directory()
    let image = try DigitScenes(split: .train, count: 1, size: 64).sample(at: 0).image
    for name in ["a.png", "b.png"] { try image.writePNG(to: directory.file(name)) }
    // Its header is sound, so that the damage shows as it is decoded.
    var damaged = try bytes(of: directory.file("b.png"))
    damaged[damaged.count / 2] ^= 0xFF
    try damaged.write(to: URL(fileURLWithPath: directory.file("b.png")))
    let images = ["a", "b"].enumerated().map { #"{"id": \#($0), "file_name": "\#($1).png", "width": 64, "height": 64}"# }
    let annotations = """
      {"images": [\(images.joined(separator: ", "))], "categories": [{"id": 1, "name": "x"}],
       "annotations": [{"id": 1, "image_id": 0, "category_id": 1, "bbox": [10, 10, 20, 20]}]}
      """
    _ = try directory.write(annotations, to: "all.json")
    let data = "{ name: coco, trainAnnotations: all.json, trainImages: ., validationAnnotations: all.json, validationImages: . }"
    let result = try Command.run(
      "train", "tiny.yaml", "--set", "data=\(data)", "--set", "train.batchSize=1", in: directory, ranks: 2)
    #expect(result.status == 1)
    #expect(result.messages.contains(" of 2: Error: ./b.png: ") && !FileManager.default.fileExists(atPath: directory.file("run/weights.h5")), "\(result.messages)")
  }

  /// The process ids of both ranks of a run under way.
  private static func ranks(of run: RunningCommand) throws -> [Int32] {
    let children = try String(
      contentsOfFile: "/proc/\(run.process.processIdentifier)/task/\(run.process.processIdentifier)/children", encoding: .utf8)
    let processes = children.split(separator: " ").compactMap { Int32($0) }.filter { process in
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")) == Command.executable.path
    }
    try #require(processes.count == 2, "\(children)")
    return processes.sorted()
  }

  static let long = ["train", "tiny.yaml", "--set", "train.steps=100000", "--set", "train.checkpointEvery=2", "--set", "train.logEvery=1", "--patience", "2"]

  /// What is left resumes.
  private static func checkCheckpoint(in directory: TemporaryDirectory) throws {
    let step = try #require(WeightsFile.readCheckpoint(directory.file("run/checkpoint.h5")).training["step"]?.first)
    #expect(step >= 2)
    #expect(try !directory.names.contains { $0.hasSuffix(".temporary") })
    let resumed = try Command.run("train", "tiny.yaml", "--resume", "--set", "train.steps=\(Int(step) + 1)", in: directory, ranks: 2)
    #expect(resumed.status == 0, "\(resumed.messages)")
  }

  @Test(arguments: [SIGKILL, SIGSTOP]) func aProcessThatDiesOrHangsEndsAllInTime(signal: Int32) throws {
    let directory = try TrainCommandTests.directory()
    let run = try RunningCommand(Self.long, in: directory, ranks: 2)
    run.wait(for: "step 5/")
    let second = try Self.ranks(of: run)[1]
    let start = ContinuousClock.now
    kill(second, signal)
    #expect(run.finish() != 0)
    #expect(start.duration(to: .now) < .seconds(30))
    if signal == SIGSTOP {
      #expect(run.messages.contains("rank 0 of 2: Error: waited 2 s for rank 1 (process \(second), which is stopped): all processes end"), "\(run.messages)")
    } else {
      #expect(run.messages.contains("rank 1") && run.messages.contains("signal 9"), "\(run.messages)")
    }
    let deadline = ContinuousClock.now + .seconds(10)
    while kill(second, 0) == 0, ContinuousClock.now < deadline { usleep(10_000) }
    #expect(kill(second, 0) != 0, "it is gone, too")
    try Self.checkCheckpoint(in: directory)
  }

  /// As a batch system tells a job that its time is over.
  @Test(arguments: [SIGTERM, SIGUSR1]) func aSignalToTheLauncherEndsAllWithACheckpoint(signal: Int32) throws {
    let directory = try TrainCommandTests.directory()
    let run = try RunningCommand(Self.long, in: directory, ranks: 2)
    run.wait(for: "step 3/")
    run.send(signal)
    #expect(run.finish() != 0)
    #expect(run.messages.contains("interrupted after step ") && run.messages.contains("  mpirun -n 2 \(Command.executable.path) train tiny.yaml"), "\(run.messages)")
    try Self.checkCheckpoint(in: directory)
  }

  @Test func aChangedNumberOfProcessesIsSaid() throws {
    let directory = try TrainCommandTests.directory()
    #expect(try Command.run("train", "tiny.yaml", "--set", "train.steps=2", in: directory, ranks: 2).status == 0)
    let alone = try Command.run("train", "tiny.yaml", "--set", "train.steps=3", "--resume", in: directory)
    #expect(alone.status == 0 && alone.messages.contains("differs from the checkpoint's: 2 -> 1 processes of 2 images each"), "\(alone.messages)")
  }

  @Test func whatIsWrongEverywhereIsSaidOnce() throws {
    let directory = try TrainCommandTests.directory()
    let result = try Command.run("train", "tiny.yaml", "--set", "sampler=fcal", in: directory, ranks: 2)
    #expect(result.status == 1 && result.messages.split(separator: "\n").count { $0.contains("did you mean \"focal\"?") } == 1, "\(result.messages)")
  }

  @Test func processesWithOtherWeightsDoNotTrainTogether() throws {
    let directory = try TrainCommandTests.directory()
    let result = try Command.run(
      "train", "tiny.yaml", ":", "-n", "1", Command.executable.path, "train", "tiny.yaml", "--set", "seed=4", in: directory, ranks: 1)
    #expect(result.status == 1 && result.messages.contains("weights to start from differ between the 2 processes"), "\(result.messages)")
  }
}
