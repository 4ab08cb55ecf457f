import Datasets
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

  /// The file that training anew would lose.
  var valuable: String? { [weights, checkpoint].first { FileManager.default.fileExists(atPath: $0) } }

  /// Makes the folder, if need be, and writes the configuration. What an earlier run left goes unless it is resumed, so
  /// that nobody takes it for this run's.
  /// - Throws: `TrainingError`.
  func prepare(configuration yaml: String, keepingResults: Bool) throws {
    try named("make the folder \(path)") {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    if !keepingResults {
      for file in [weights, checkpoint, metrics] where FileManager.default.fileExists(atPath: file) {
        try named("remove \(file)") { try FileManager.default.removeItem(atPath: file) }
      }
    }
    try named("write \(configuration)") {
      try Data(yaml.utf8).write(to: URL(fileURLWithPath: configuration), options: .atomic)
    }
  }

  /// Foundation's errors name no file, or only the temporary one.
  private func named(_ what: String, _ body: () throws -> Void) throws {
    do { try body() } catch { throw TrainingError("cannot \(what): \(fileErrorReason(error))") }
  }
}
