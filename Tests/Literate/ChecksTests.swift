import Foundation
import LiterateSupport
import TestSupport
import Testing

/// What the generated code calls: right values pass, wrong ones are issues at the chapter's line.
@Suite struct ChecksTests {
  static let run = ChapterRun(file: "docs/03-x.md", packageDirectory: "/")

  /// Runs checks that must record one issue each, at line 7 of the chapter.
  static func fails(
    _ body: () throws -> Void, says part: String = "", sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try withKnownIssue(sourceLocation: sourceLocation) { try body() } matching: { issue in
      let text = issue.comments.map(\.rawValue).joined() + (issue.error.map { "\($0)" } ?? "")
      return text.contains("docs/03-x.md:7") && (part.isEmpty || text.contains(part)) && issue.sourceLocation?.line == 7
        && issue.sourceLocation?.fileID == "docs/03-x.md"
    }
  }

  @Test func rightValuesPass() {
    Self.run.check([1, 2], prints: "[1, 2]", line: 7)
    Self.run.check(1.25e-5, prints: "1.25e-05", line: 7)
    Self.run.check("a long text", prints: "a … text", line: 7)
    Self.run.check(Float(0.6931), isNear: 0.693, tolerance: 1e-3, line: 7)
    Self.run.check(12, isNear: 10, tolerance: 2, line: 7)
    Self.run.check(0.009, is: .less, 0.01, line: 7)
    Self.run.check(3, is: .greaterOrEqual, 3, line: 7)
  }

  @Test func wrongValuesAreIssuesAtTheirLine() throws {
    try Self.fails({ Self.run.check([1, 2], prints: "[1, 3]", line: 7) }, says: "the chapter says [1, 3], the value is [1, 2]")
    try Self.fails({ Self.run.check(0.7, isNear: 0.693, tolerance: 1e-3, line: 7) })
    try Self.fails({ Self.run.check(Double.nan, isNear: 0, tolerance: 1e9, line: 7) })
    try Self.fails({ Self.run.check(Double.nan, is: .less, 1, line: 7) })
    try Self.fails({ Self.run.check(0.01, is: .less, 0.01, line: 7) })
    try Self.fails({ Self.run.check(2, is: .greater, 2, line: 7) })
    try Self.fails({ Self.run.recordMissingThrow(line: 7) })
  }

  struct Failure: Error, CustomStringConvertible { let description = "no \"fcal\" here" }

  @Test func errorsAreCheckedAndRecorded() throws {
    Self.run.check(thrown: Failure(), says: "no … here", line: 7)
    try Self.fails({ Self.run.check(thrown: Failure(), says: "something else", line: 7) })
    var run = Self.run
    try run.enter(line: 7)
    try Self.fails({ try run.record(Failure()) }, says: "no \"fcal\" here")
  }

  @Test(arguments: [
    ("abc", "abc", true), ("abc", "abcd", false), ("", "", true), ("…", "", true), ("…", "x\ny", true), ("a…", "ab", true),
    ("a…", "ba", false), ("…b", "ab", true), ("a…c…e", "abcde", true), ("a…e…c", "abcde", false), ("ab…bc", "abc", false),
    ("a……b", "ab", true),
  ]) func ellipsesStandForAnything(pattern: String, text: String, matches: Bool) {
    #expect(OutputPattern(pattern).matches(text) == matches)
  }

  @Test func scriptsRunInThePackageAndAreChecked() throws {
    let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
    var run = ChapterRun(file: "docs/03-x.md", packageDirectory: folder.path)
    run.line = 7
    try run.shell("pwd\necho one; echo two", printing: [folder.path, "two"])
    let error = try thrown(ShellError.self) { try run.shell("echo before; exit 3", printing: []) }
    #expect(error.description.contains("exit status 3") && error.description.contains("before"))
    #expect(throws: ShellError.self) { try run.shell("false\ntrue", printing: []) }
    try Self.fails({ try run.shell("echo two; echo one", printing: ["one", "two"]) }, says: "the chapter says two")
  }
}
