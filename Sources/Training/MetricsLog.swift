import Foundation

/// JSON lines beside the checkpoint: one a step, one an evaluation.
final class MetricsLog {
  private let handle: FileHandle
  private let encoder = JSONEncoder()

  /// - Parameter firstStep: lines of this and later steps, of a run that went on past its checkpoint, are dropped.
  init(path: String, firstStep: Int) throws {
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    struct Line: Decodable { let step: Int }
    var kept = Data()
    if firstStep > 0, let old = FileManager.default.contents(atPath: path) {
      for line in old.split(separator: UInt8(ascii: "\n")) {
        if let step = try? JSONDecoder().decode(Line.self, from: line).step, step < firstStep {
          kept += line
          kept.append(UInt8(ascii: "\n"))
        }
      }
    }
    try kept.write(to: URL(fileURLWithPath: path), options: .atomic)
    handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try handle.seekToEnd()
  }

  func append(_ value: some Encodable) throws {
    var line = try encoder.encode(value)
    line.append(UInt8(ascii: "\n"))
    try handle.write(contentsOf: line)
  }
}
