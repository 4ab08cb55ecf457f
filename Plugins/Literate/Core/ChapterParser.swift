extension Chapter {
  /// Reads a chapter's heading and fences, line by line. Fences are CommonMark's (three or more backticks or
  /// tildes), indented at will, as in lists.
  ///
  /// - Parameter file: the name for diagnostics.
  /// - Throws: `ChapterErrors` with every unknown fence word, unclosed fence, unexplained `swift ignore` and
  ///   unhidden block in a comment.
  public init(markdown: String, file: String) throws(ChapterErrors) {
    var parser = ChapterParser(file: file)
    // "\r\n" is one character.
    let lines = markdown.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (index, line) in lines.enumerated() { parser.read(line, number: index + 1) }
    parser.finish()
    guard parser.diagnostics.isEmpty else { throw ChapterErrors(diagnostics: parser.diagnostics) }
    self.init(
      file: file, title: parser.title?.text ?? Chapter.stem(of: file), titleLine: parser.title?.line ?? 1,
      blocks: parser.blocks)
  }
}

struct ChapterParser {
  let file: String
  var title: (text: String, line: Int)?
  var blocks: [Block] = []
  var diagnostics: [ChapterDiagnostic] = []
  private var open: OpenFence?
  private var isInComment = false

  private struct OpenFence {
    var marker: Character
    var length: Int
    var indentation: Int
    var line: Int
    var isInComment: Bool
    /// nil where the words were wrong: the block is skipped.
    var fence: Fence?
    var lines: [String] = []
  }

  init(file: String) { self.file = file }

  mutating func read(_ line: Substring, number: Int) {
    let trimmed = line.drop { $0 == " " || $0 == "\t" }
    if open != nil {
      readBlockLine(line, trimmed: trimmed)
    } else if let (marker, length) = ChapterParser.fenceMarker(trimmed) {
      let info = String(trimmed.dropFirst(length))
      open = OpenFence(
        marker: marker, length: length, indentation: line.count - trimmed.count, line: number,
        isInComment: isInComment)
      do {
        open?.fence = try Fence(info: info)
      } catch {
        complain(error.message, line: number)
      }
    } else {
      readProse(trimmed, number: number)
    }
  }

  private mutating func readProse(_ line: Substring, number: Int) {
    if title == nil, !isInComment, line.hasPrefix("# ") {
      title = (line.dropFirst(2).trimmingSpaces(), number)
    }
    var rest = line
    while let found = rest.firstRange(of: isInComment ? "-->" : "<!--") {
      isInComment.toggle()
      rest = rest[found.upperBound...]
    }
  }

  private mutating func readBlockLine(_ line: Substring, trimmed: Substring) {
    guard let block = open else { return }
    if let (marker, length) = ChapterParser.fenceMarker(trimmed), marker == block.marker, length >= block.length,
      trimmed.dropFirst(length).allSatisfy(\.isWhitespace)
    {
      close(block)
      open = nil
    } else {
      let indentation = min(block.indentation, line.count - trimmed.count)
      open?.lines.append(String(line.dropFirst(indentation)))
    }
  }

  private mutating func close(_ open: OpenFence) {
    guard let fence = open.fence else { return }
    let block = Block(fence: fence, lines: open.lines, firstLine: open.line + 1)
    if open.isInComment, ![.shown, .ignored].contains(fence.purpose), !fence.isHidden {
      complain("a block in an HTML comment is not shown: mark it \"swift hidden\"", line: open.line)
    }
    if fence.purpose == .ignored, block.lines.first.map({ $0.drop(while: \.isWhitespace).hasPrefix("// ") }) != true {
      complain("\"swift ignore\" needs its reason in a // comment on the block's first line", line: open.line)
    }
    blocks.append(block)
  }

  mutating func finish() {
    if let open {
      complain("this fence is not closed", line: open.line)
    }
  }

  private mutating func complain(_ message: String, line: Int) {
    diagnostics.append(ChapterDiagnostic(file: file, line: line, message: message))
  }

  /// The fence's character and its count, where a line begins with three or more.
  private static func fenceMarker(_ line: Substring) -> (Character, Int)? {
    guard let marker = line.first, marker == "`" || marker == "~" else { return nil }
    let run = line.prefix { $0 == marker }
    // `` ```code``` `` within a paragraph is inline code.
    guard run.count >= 3, marker == "~" || !line.dropFirst(run.count).contains("`") else { return nil }
    return (marker, run.count)
  }
}

extension StringProtocol {
  func trimmingSpaces() -> String {
    let start = drop(while: \.isWhitespace)
    return String(start.reversed().drop(while: \.isWhitespace).reversed())
  }
}

extension Substring {
  func firstRange(of text: String) -> Range<Index>? { ranges(of: text).first }
}
