import Configuration
import Files
import Foundation

/// The files of a training run.
public struct RunFolder: Hashable, Sendable {
  public let path: String

  public init(_ path: String) { self.path = path }

  public var configuration: String { "\(path)/config.yaml" }
  /// JSON lines: one a step, one an evaluation.
  public var metrics: String { "\(path)/metrics.jsonl" }
  /// Weights, optimiser, step.
  public var checkpoint: String { "\(path)/checkpoint.h5" }
  public var weights: String { "\(path)/weights.h5" }
  /// A checkpoint of what the step that diverged began with.
  public var diverged: String { "\(path)/diverged.h5" }

  private var results: [String] { [weights, checkpoint, diverged, metrics] }

  /// Takes the folder for this process, which makes it if need be.
  /// - Throws: `TrainingError` where another process has it or nothing can be written there.
  func lock() throws -> FolderLock {
    do { return try FolderLock(path) } catch { throw TrainingError("train.output: \(error.path) \(error.reason)") }
  }

  /// Looks for what a run would lose, or take for its own. What dead writers left is removed.
  /// - Throws: `TrainingError` naming a file that is in the way.
  func check(_ start: Trainer.Start) throws {
    let files = (results + [configuration]).filter { FileManager.default.fileExists(atPath: $0) }
    for file in files {
      do { try OrdinaryFile.check(file) } catch { throw TrainingError("\(error.path) \(error.reason): set another train.output") }
    }
    for file in results + [configuration] { AtomicFile.sweep(file) }
    let isOfRun = try isOfRun()
    if start == .resuming {
      guard isOfRun != false else { throw foreign(configuration) }
      return
    }
    if let file = files.first, isOfRun != true { throw foreign(file) }
    if start == .fresh, let file = [weights, checkpoint].first(where: files.contains) {
      throw TrainingError("\(file) is there already: resume that run (--resume), overwrite it (--overwrite) or set another train.output")
    }
  }

  /// Whether the folder's configuration is one that a run wrote; nil where there is none.
  private func isOfRun() throws -> Bool? {
    guard FileManager.default.fileExists(atPath: configuration) else { return nil }
    do {
      let text = String(decoding: try OrdinaryFile.bytes(of: configuration, limit: 1 << 20), as: UTF8.self)
      return ExperimentConfiguration.isCanonical(text)
    } catch { throw TrainingError("cannot read \(error.path): \(error.reason)") }
  }

  private func foreign(_ file: String) -> TrainingError {
    TrainingError(
      "\(file) is there, and no run wrote it (its config.yaml would lie there): move it away or set another train.output")
  }

  /// Writes the configuration. What an earlier run left goes unless it is resumed, so that nobody takes it for this run's.
  /// - Throws: `TrainingError`.
  func prepare(configuration yaml: String, keepingResults: Bool) throws {
    for file in keepingResults ? [] : results where unlink(file) != 0 && errno != ENOENT {
      throw TrainingError("cannot remove \(file): \(String(cString: strerror(errno)))")
    }
    try write(Data(yaml.utf8), to: configuration)
  }

  /// - Throws: `TrainingError`.
  func write(_ data: Data, to file: String) throws {
    do { try AtomicFile.write(data, to: file) } catch let error as FileError {
      throw TrainingError("\(error.path): \(error.reason)")
    }
  }
}
