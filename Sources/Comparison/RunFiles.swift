import Foundation

/// What training leaves in a run's folder, as far as a comparison reads or removes it.
struct RunFiles {
  private let folder: String

  init(_ folder: String) { self.folder = folder }

  var checkpoint: String { "\(folder)/checkpoint.h5" }

  /// The record first: without it nothing in the folder counts.
  func removeAll() throws {
    for name in ["run.json", "checkpoint.h5", "weights.h5", "metrics.jsonl", "config.yaml"] {
      let path = "\(folder)/\(name)"
      if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
    }
  }

  /// The sum over all steps, those before an interruption included.
  func trainingSeconds() throws -> Double {
    struct Line: Decodable { let seconds: Double? }
    guard let log = FileManager.default.contents(atPath: "\(folder)/metrics.jsonl") else { return 0 }
    return try log.split(separator: UInt8(ascii: "\n")).reduce(0) {
      $0 + (try JSONDecoder().decode(Line.self, from: $1).seconds ?? 0)
    }
  }
}
