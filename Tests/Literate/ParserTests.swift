import LiterateCore
import TestSupport
import Testing

@Suite struct ParserTests {
  static func chapter(_ lines: String...) throws -> Chapter {
    try Chapter(markdown: lines.joined(separator: "\n") + "\n", file: "docs/03-two-words.md")
  }

  /// The mistakes of a chapter, as the compiler prints them.
  static func mistakes(_ lines: String...) throws -> [String] {
    let errors = try thrown(ChapterErrors.self) {
      try Chapter(markdown: lines.joined(separator: "\n"), file: "docs/03-x.md")
    }
    return errors.diagnostics.map(\.description)
  }

  @Test func headingAndBlocksAreFoundWithTheirLines() throws {
    let chapter = try Self.chapter(
      "Before.", "# The *title*  ", "", "```swift", "let x = 1", "", "x  // => 1", "```", "# Another", "```sh run", "ls", "```")
    #expect(chapter.title == "The *title*" && chapter.titleLine == 2)
    #expect(chapter.identifier == "chapter03TwoWords")
    #expect(chapter.blocks.map(\.fence.purpose) == [.statements, .shell])
    #expect(chapter.blocks.map(\.lines) == [["let x = 1", "", "x  // => 1"], ["ls"]])
    #expect(chapter.blocks.map(\.firstLine) == [5, 11])
  }

  @Test func aChapterWithoutHeadingIsCalledByItsFile() throws {
    let chapter = try Self.chapter("Text.")
    #expect(chapter.title == "03-two-words" && chapter.titleLine == 1 && chapter.blocks.isEmpty)
    #expect(try Chapter(markdown: "", file: "docs/01-a.md").blocks.isEmpty)
  }

  @Test(arguments: [
    ("swift", Fence.Purpose.statements, false), ("swift hidden", .statements, true), ("swift declaration", .declaration, false),
    ("swift declaration hidden", .declaration, true), ("swift throws", .throwing, false), ("sh", .shown, false),
    ("sh run", .shell, false), ("yaml", .shown, false), ("yaml recipe", .recipe, false), ("", .shown, false),
    ("json", .shown, false), ("python", .shown, false), ("  swift   ", .statements, false),
  ]) func fenceWordsHavePurposes(info: String, purpose: Fence.Purpose, isHidden: Bool) throws {
    let block = try #require(Self.chapter("```\(info)", "x", "```").blocks.first)
    #expect(block.fence.purpose == purpose && block.fence.isHidden == isHidden)
  }

  @Test func fencesAreCommonMarks() throws {
    // Tildes, longer fences around shorter ones, indentation, inline code, carriage returns.
    let chapter = try Self.chapter(
      "~~~swift", "```", "~~~", "````text", "```swift", "let broken", "```", "````", "- item", "  ```swift", "    deep", "  ```",
      "```inline``` code", "``` swift\r", "last\r", "```\r")
    #expect(chapter.blocks.map(\.lines) == [["```"], ["```swift", "let broken", "```"], ["  deep"], ["last"]])
    #expect(chapter.blocks.map(\.firstLine) == [2, 5, 11, 15])
  }

  @Test func mistakesNameFileAndLine() throws {
    #expect(
      try Self.mistakes("text", "```swfit", "```", "```swift hiden", "```", "```json run", "```", "```swift throws ignore", "```", "```swift")
        == [
          "docs/03-x.md:2: error: unknown fence language \"swfit\"; did you mean \"swift\"?",
          "docs/03-x.md:4: error: unknown fence word \"hiden\" after \"swift\"; did you mean \"hidden\"?; valid: declaration, hidden, ignore, throws",
          "docs/03-x.md:6: error: a \"json\" fence takes no words, found \"run\"",
          "docs/03-x.md:8: error: a fence takes one of \"throws\", \"ignore\"",
          "docs/03-x.md:10: error: this fence is not closed",
        ])
  }

  @Test func ignoredBlocksSayWhy() throws {
    #expect(try Self.chapter("```swift ignore", "// needs COCO", "train()", "```").blocks[0].fence.purpose == .ignored)
    #expect(try Self.mistakes("```swift ignore", "train()", "```").first?.contains("needs its reason") == true)
    #expect(try Self.mistakes("```swift ignore hidden", "// x", "```").first?.contains("either hidden or ignored") == true)
  }

  @Test func whatIsHiddenStandsInComments() throws {
    let chapter = try Self.chapter("<!--", "```swift hidden", "let x = 1", "```", "-->", "# Title", "<!-- # no title -->")
    #expect(chapter.blocks.first?.fence.isHidden == true && chapter.title == "Title")
    #expect(try Self.mistakes("<!--", "```swift", "x", "```", "-->").first?.hasPrefix("docs/03-x.md:2: error:") == true)
  }
}
