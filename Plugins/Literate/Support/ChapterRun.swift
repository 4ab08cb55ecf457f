import Testing

/// A chapter's test as it runs: where it is, and what its checks found. The code that the Literate plugin generates
/// calls it.
public struct ChapterRun: Sendable {
  /// Relative to the package, `docs/01-imbalance.md`.
  public let file: String
  /// The package's root: the working directory of `sh run` blocks.
  public let packageDirectory: String
  /// The line an uncaught error is reported at.
  public var line = 1

  public init(file: String, packageDirectory: String) {
    self.file = file
    self.packageDirectory = packageDirectory
  }

  /// Notes the block that begins.
  /// - Throws: `CancellationError` where the test's time is over.
  public mutating func enter(line: Int) throws {
    self.line = line
    try Task.checkCancellation()
  }

  /// Records the error that ended the chapter.
  /// - Throws: the error of a failed `#require`, which is recorded already.
  public func record(_ error: any Error) throws {
    if error is ExpectationFailedError { throw error }
    Issue.record(error, "\(file):\(line) threw: \(error)", sourceLocation: location(line))
  }

  func fail(_ message: String, line: Int) {
    Issue.record("\(file):\(line): \(message)", sourceLocation: location(line))
  }

  private func location(_ line: Int) -> SourceLocation {
    SourceLocation(fileID: file.contains("/") ? file : "docs/\(file)", filePath: file, line: line, column: 1)
  }
}
