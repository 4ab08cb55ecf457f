import Datasets
import Evaluation
import Files
import Foundation

/// JSON lines beside the checkpoint: one a step, one an evaluation.
package final class MetricsLog {
  private let path: String
  private let handle: FileHandle
  private let encoder = JSONEncoder()
  /// Whether the evaluation after the step before is there.
  private(set) var hasEvaluation = false

  /// - Parameters:
  ///   - firstStep: lines of this and later steps, of a run that went on past its checkpoint, are dropped.
  ///   - keepsEvaluation: whether the evaluation after the step before stays.
  /// - Throws: `TrainingError` where the file cannot be written.
  package init(path: String, firstStep: Int, keepsEvaluation: Bool) throws {
    self.path = path
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    struct Line: Decodable {
      struct Anything: Decodable { init(from decoder: any Decoder) {} }
      let step: Int
      let evaluation: Anything?
    }
    var kept = Data()
    if firstStep > 0, let old = FileManager.default.contents(atPath: path) {
      for line in old.split(separator: UInt8(ascii: "\n")) {
        guard let entry = try? JSONDecoder().decode(Line.self, from: line) else { continue }
        // A step's line has its index, an evaluation's the number of steps done.
        let end = firstStep + (entry.evaluation != nil && keepsEvaluation ? 1 : 0)
        guard entry.step < end else { continue }
        if entry.evaluation != nil, entry.step == firstStep { hasEvaluation = true }
        kept += line
        kept.append(UInt8(ascii: "\n"))
      }
    }
    do {
      try AtomicFile.write(kept, to: path)
      handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      try handle.seekToEnd()
    } catch let error as FileError { throw TrainingError("\(error.path): \(error.reason)") } catch {
      throw TrainingError("cannot write \(path): \(fileErrorReason(error))")
    }
  }

  deinit { try? handle.close() }

  func append(_ report: StepReport) throws { try write(report) }

  /// - Parameter step: steps done.
  func append(_ evaluation: COCOResult, step: Int) throws {
    struct Line: Encodable {
      let step: Int
      let evaluation: COCOResult
    }
    try write(Line(step: step, evaluation: evaluation))
  }

  private func write(_ value: some Encodable) throws {
    var line = try encoder.encode(value)
    line.append(UInt8(ascii: "\n"))
    do { try handle.write(contentsOf: line) } catch { throw TrainingError("cannot write \(path): \(fileErrorReason(error))") }
  }
}
