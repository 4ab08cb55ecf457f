/// A mistake in a chapter, in the compiler's form: `docs/01-imbalance.md:12: error: ...`.
public struct ChapterDiagnostic: Error, Hashable, Sendable, CustomStringConvertible {
  public var file: String
  /// From 1.
  public var line: Int
  public var message: String

  public init(file: String, line: Int, message: String) {
    self.file = file
    self.line = line
    self.message = message
  }

  public var description: String { "\(file):\(line): error: \(message)" }
}

/// All mistakes of a chapter, so that one build shows them all. Never empty.
public struct ChapterErrors: Error, Hashable, Sendable, CustomStringConvertible {
  public var diagnostics: [ChapterDiagnostic]

  public var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

/// What a parsing function throws before it is known where: `ChapterParser` and `Snippet` add file and line.
struct Complaint: Error {
  var message: String

  init(_ message: String) { self.message = message }
}
