import ArgumentParser
import Foundation
import Parallel
import SamplingFree

/// Trains and detects in turn for a long time and holds memory, open files and threads at the end against those after a
/// warm-up: what is not given back adds up.
struct Soak: ParsableCommand {
  @Option(help: "How long.") var minutes = 120.0
  @Option(help: "By how many MiB the resident memory may grow after the warm-up, the first fifth of the time.") var most = 8

  private static let yaml = """
    data: { name: digit-scenes, trainCount: 12, validationCount: 4, size: 64 }
    input: { width: 64, height: 64, flip: 0.5 }
    detector:
      backbone: { depth: 18, width: 4, stem: small, normalization: batch }
      pyramid: { channels: 8, minLevel: 3, maxLevel: 5 }
      head: { convolutions: 1, channels: 8 }
      anchors: { sizes: [10, 16, 28], scales: [1, 1.4], aspectRatios: [1] }
    train: { steps: 6, batchSize: 2, learningRate: 0.01, warmupSteps: 2, checkpointEvery: 3, clipNorm: 10 }
    """

  func run() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("soak-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let clock = Clock()
    let seconds = 60 * minutes
    var rounds: [(time: Double, use: Use)] = []
    var shown = 0.0
    repeat {
      try round(rounds.count, in: folder.path)
      rounds.append((clock.wall, try Use()))
      if clock.wall >= shown {
        shown += max(60, seconds / 100)
        FileHandle.standardError.write(Data("\(Int(clock.wall)) s, round \(rounds.count): \(rounds[rounds.count - 1].use)\n".utf8))
      }
    } while clock.wall < seconds || rounds.count < 10
    let fifth = max(1, rounds.count / 5)
    let (first, last) = try (settled(rounds[fifth..<2 * fifth]), settled(rounds.suffix(fifth)))
    print("\(rounds.count) rounds in \(Int(clock.wall)) s; after the warm-up \(first); at the end \(last)")
    let grown = last.bytes - first.bytes
    if grown > most << 20 { throw ValidationError("memory grew by \(grown >> 20) MiB") }
    if last.files > first.files || last.threads > first.threads { throw ValidationError("files or threads were left open") }
  }

  /// The lowest of these rounds: what a round needs for a while does not count.
  private func settled(_ rounds: ArraySlice<(time: Double, use: Use)>) throws -> Use {
    let uses = rounds.map(\.use)
    guard let bytes = uses.map(\.bytes).min(), let files = uses.map(\.files).min(), let threads = uses.map(\.threads).min() else {
      throw ValidationError("no rounds")
    }
    return Use(bytes: bytes, files: files, threads: threads)
  }

  /// A run from its first step to a resumed end, then detections in images of many sizes with its weights, and an image
  /// and a weights file that cannot be read.
  private func round(_ index: Int, in folder: String) throws {
    let files = RunFolder("\(folder)/run")
    var observer = Silence()
    func train(_ steps: Int, _ start: Trainer.Start) throws {
      let configuration = try ExperimentConfiguration(
        yaml: Self.yaml, name: "soak", overrides: ["train.output=\(files.path)", "train.steps=\(steps)", "seed=\(index % 5)"])
      var trainer = try Trainer(configuration, registry: .standard, start: start, observer: &observer)
      _ = try trainer.run(observer: &observer)
    }
    try train(4, .overwriting)
    try train(6, .resuming)

    let weights = try WeightsFile.read(files.weights)
    var configuration = try ExperimentConfiguration(yaml: weights.metadata.configuration, name: "weights")
    configuration.input.width = nil
    configuration.input.height = nil
    (configuration.input.shorterSide, configuration.input.longerSide) = (64, 256)
    let runner = try DetectionRunner(weights: weights, configuration: configuration, registry: .standard)
    var random = SeededGenerator(seed: 3, UInt64(index))
    for _ in 0..<12 {
      let path = "\(folder)/image"
      let image = Image(width: 32 + random.index(below: 200), height: 32 + random.index(below: 200), grey: UInt8(random.index(below: 256)))
      try random.index(below: 2) == 0 ? image.writeJPEG(to: path) : image.writePNG(to: path)
      _ = try runner.detect([Image(contentsOf: path)])
      // Cut short: the reader's way out through an error.
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: path))
      guard (try? Image(contentsOf: path)) == nil, (try? WeightsFile.read(path)) == nil else { throw ValidationError("half an image was read") }
    }
  }

  private struct Silence: TrainingObserver {
    func note(_ message: String) {}
    func didStep(_ report: StepReport, of steps: Int) {}
    func didEvaluate(_ result: COCOResult, step: Int) {}
  }
}

/// What this process holds.
private struct Use: CustomStringConvertible {
  var bytes: Int
  var files: Int
  var threads: Int

  var description: String { String(format: "%.1f MiB, %d files, %d threads", Double(bytes) / 1_048_576, files, threads) }

  init(bytes: Int, files: Int, threads: Int) { (self.bytes, self.files, self.threads) = (bytes, files, threads) }

  init() throws {
    let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    bytes = (Int(pages[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    files = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
    threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
  }
}
