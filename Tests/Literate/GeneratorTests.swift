import LiterateCore
import TestSupport
import Testing

@Suite struct GeneratorTests {
  static func source(_ lines: [String]) throws -> String {
    let chapter = try Chapter(markdown: lines.joined(separator: "\n"), file: "docs/03-x.md")
    return try ChapterGenerator(packageDirectory: "/some where/").source(for: chapter)
  }

  static func swift(_ lines: String..., words: String = "") throws -> String {
    try source(["# T", "```swift \(words)"] + lines + ["```"])
  }

  static func mistakes(_ lines: String..., words: String = "") throws -> [String] {
    let errors = try thrown(ChapterErrors.self) { try source(["# T", "```swift \(words)"] + lines + ["```"]) }
    return errors.diagnostics.map(\.description)
  }

  /// The line of the chapter that the compiler reports a text of the generated source at.
  static func reportedLine(of text: String, in source: String) -> Int? {
    var line: Int?
    for row in source.split(separator: "\n", omittingEmptySubsequences: false) {
      if row.hasPrefix("#sourceLocation(file: \"docs/03-x.md\", line: ") {
        line = Int(row.split(separator: " ").last?.dropLast() ?? "")
      } else if row == "#sourceLocation()" {
        line = nil
      } else {
        if row.contains(text) { return line }
        line = line.map { $0 + 1 }
      }
    }
    return nil
  }

  @Test func aChapterIsOneTest() throws {
    let source = try Self.source(["# A \"quoted\" title", "```swift", "let x = 1", "```", "more", "```swift", "_ = x", "```"])
    #expect(source.contains("@Test(\"A \\\"quoted\\\" title\") func chapter03X() async throws {"))
    #expect(source.contains("packageDirectory: \"/some where/\""))
    #expect(source.components(of: "@Test") == 1)
  }

  /// Statements stay on their lines, whatever is put between them.
  @Test func everyLineIsReportedWhereItStands() throws {
    let source = try Self.swift("let a = 1", "try f()", "a + 1  // => 2", "let b = [", "  1,", "]", "// => [1]", "let last = b")
    for (text, line) in [("let a = 1", 3), ("try f()", 4), ("a + 1", 5), ("let b = [", 6), ("let last = b", 10)] {
      #expect(Self.reportedLine(of: text, in: source) == line, "\(text)")
    }
    #expect(Self.reportedLine(of: "_chapter.check(_value5", in: source) == 5)
    #expect(Self.reportedLine(of: "_chapter.check(b", in: source) == 8)
    #expect(Self.reportedLine(of: "@Test", in: source) == 1)
  }

  @Test func checksBecomeCalls() throws {
    let source = try Self.swift(
      "1 + 1  // => 2", "x  // => ≈ 0.693 ± 1e-3", "y // => < 0.01", "let z = f(", "  1)", "// => a", "// => b", "w // => >= -1_000")
    for call in [
      "_chapter.check(_value3, prints: \"2\", line: 3)", "_chapter.check(_value4, isNear: 0.693, tolerance: 0.001, line: 4)",
      "_chapter.check(_value5, is: .less, 0.01, line: 5)", "_chapter.check(z, prints: \"a\\nb\", line: 8)",
      "_chapter.check(_value10, is: .greaterOrEqual, -1000.0, line: 10)", "let _value3 = 1 + 1",
    ] { #expect(source.contains(call), "\(call)\n\(source)") }
  }

  @Test func checkedExpressionsMaySpanLines() throws {
    let source = try Self.swift("values", "  .map { $0 * 2 }", "  .filter {", "    $0 > 1  // no check", "  }", "// => [2]", "\"// => no\".count")
    #expect(source.contains("let _value8 = values"))
    #expect(source.components(of: "_chapter.check") == 1)
  }

  @Test func importsAndDeclarationsGoToFileScope() throws {
    let source = try Self.source([
      "# T", "```swift", "import Foundation", "let x = 1", "```", "```swift declaration", "import Foundation", "struct S {}", "```",
    ])
    let start = try #require(source.range(of: "@Test"))
    let head = source[..<start.lowerBound]
    #expect(head.contains("import Foundation\n") && head.contains("struct S {}"))
    #expect(source.components(of: "import Foundation") == 1)
    #expect(Self.reportedLine(of: "struct S", in: source) == 8)
    #expect(Self.reportedLine(of: "let x = 1", in: source) == 4)
  }

  @Test func throwingBlocksCheckTheError() throws {
    let source = try Self.swift("let a = 1", "try fail(a)", "// => throws: no … here", words: "throws")
    #expect(source.contains("_chapter.check(thrown: error, says: \"no … here\", line: 5)"))
    #expect(source.contains("_chapter.recordMissingThrow(line: 5)"))
  }

  @Test func shellAndRecipeBlocks() throws {
    let source = try Self.source(["# T", "```sh run", "echo \"a\\b\"", "# => a…", "# a comment", "```", "```yaml recipe", "seed: 1", "```"])
    #expect(source.contains("_chapter.shell(\"echo \\\"a\\\\b\\\"\\n# => a…\\n# a comment\", printing: [\"a…\"])"))
    #expect(source.contains("ExperimentConfiguration(yaml: \"seed: 1\\n\", name: \"docs/03-x.md:8\")"))
  }

  @Test func whatIsShownOnlyIsNotRun() throws {
    let source = try Self.source(["# T", "```swift ignore", "// why", "broken(", "```", "```sh", "rm -rf", "```", "```json", "{", "```"])
    #expect(!source.contains("broken") && !source.contains("rm -rf"))
  }

  @Test func checksThatCheckNothingAreMistakes() throws {
    for (lines, line, part) in [
      (["// => 1"], 3, "no expression"), (["let x = 1", "", "// => 1"], 5, "no expression"), (["for x in y {  // => 1", "}"], 3, "no expression"),
      (["}  // => 1"], 3, "no expression"), (["x  // => ≈ 1"], 3, "expected \"// => ≈ 0.693 ± 1e-3\""), (["x  // => < y"], 3, "expected a number"),
      (["x  // =>"], 3, "nothing after"), (["print(x)  // => 1"], 3, "without \"print\""), (["a; b  // => 1"], 3, "without \";\""),
      (["if x {  // => 1", "}"], 3, "no expression"), (["let (a, b) = c  // => 1"], 3, "one variable"), (["try f()  // => throws: x"], 3, "belongs in a \"swift throws\""),
    ] {
      let errors = try thrown(ChapterErrors.self) { try Self.source(["# T", "```swift"] + lines + ["```"]) }
      let text = errors.description
      #expect(text.hasPrefix("docs/03-x.md:\(line): error:") && text.contains(part), "\(lines): \(text)")
    }
    #expect(try Self.mistakes("let x = 1  // => 1", words: "declaration").first?.contains("nothing runs") == true)
    #expect(try Self.mistakes("f()", words: "throws") == ["docs/03-x.md:2: error: a \"swift throws\" block says what it throws, in a line \"// => throws: text\""])
    #expect(try Self.mistakes("f()", "// => throws: a", "// => throws: b", words: "throws").first?.contains("throws once") == true)
  }

  @Test func allMistakesAreReportedAtOnce() throws {
    #expect(try Self.mistakes("// => 1", "let y = 2", "print(y)  // => 2").count == 2)
  }
}

extension String {
  /// How often `text` stands in it.
  func components(of text: String) -> Int { ranges(of: text).count }
}
