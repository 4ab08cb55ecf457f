import Configuration
import Evaluation
import Files
import Foundation
import Training

/// `run.json` in a run's folder: what the run is, written before it starts, and how it ended.
public struct RunRecord: Hashable, Sendable, Codable {
  public struct Outcome: Hashable, Sendable, Codable {
    /// nil where training diverged. A value is negative where the data has nothing to find.
    public var result: COCOResult?
    /// Where and why training diverged.
    public var divergence: String?
    /// Of all training steps; evaluation is not counted.
    public var seconds: Double

    public init(result: COCOResult?, divergence: String? = nil, seconds: Double) {
      self.result = result
      self.divergence = divergence
      self.seconds = seconds
    }
  }

  /// What decides the outcome: the configuration as YAML, without the folder and how often progress is reported and kept.
  let configuration: String
  /// Fingerprints of the plugins' files, by name.
  let plugins: [String: String]
  public var outcome: Outcome?

  /// - Throws: where a plugin's file cannot be read.
  init(_ configuration: ExperimentConfiguration) throws {
    var essence = configuration.withoutPluginPaths
    essence.train.output = ""
    essence.train.logEvery = 1
    essence.train.checkpointEvery = 0
    self.configuration = essence.yaml
    plugins = try Dictionary(
      configuration.plugins.map { path in
        let url = URL(fileURLWithPath: path)
        return (url.lastPathComponent, fingerprint(try OrdinaryFile.bytes(of: path)))
      }) { "\($0) \($1)" }
  }

  func isOfSameRun(as other: RunRecord) -> Bool { configuration == other.configuration && plugins == other.plugins }

  // MARK: Files

  static func path(in folder: String) -> String { "\(folder)/run.json" }

  /// nil where there is none, or one that cannot be read.
  static func read(in folder: String) -> RunRecord? {
    (try? OrdinaryFile.data(of: path(in: folder))).flatMap { try? JSONDecoder().decode(RunRecord.self, from: $0) }
  }

  /// - Throws: `ComparisonError` naming the file.
  func write(in folder: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(self)
    do { try AtomicFile.write(data, to: Self.path(in: folder)) } catch let error as FileError {
      throw ComparisonError("\(error.path): \(error.reason)")
    }
  }

  /// - Throws: `ComparisonError` where there is something else of that name.
  static func remove(in folder: String) throws {
    let path = path(in: folder)
    guard FileManager.default.fileExists(atPath: path) else { return }
    guard read(in: folder) != nil else { throw ComparisonError("\(path) is there, and no comparison wrote it: move it away") }
    guard unlink(path) == 0 else { throw ComparisonError("cannot remove \(path): \(String(cString: strerror(errno)))") }
  }
}
