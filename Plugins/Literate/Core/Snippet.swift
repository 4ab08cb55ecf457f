/// A block of Swift taken apart: its imports, its statements, and the checks of their values.
struct Snippet {
  struct Import: Hashable {
    var text: String
    var line: Int
  }

  struct Check: Hashable {
    var check: OutputCheck
    /// Indexes of the lines the checked statement spans; the value is `name`'s.
    var statement: ClosedRange<Int>
    /// The variable that a checked declaration declares, nil where an expression is checked.
    var name: String?
    /// Index of the first line of the claim.
    var claimIndex: Int
  }

  var lines: [String]
  let scanned: [ScannedLine]
  var imports: [Import] = []
  var checks: [Check] = []
  /// The text of `// => throws:` and its line's index.
  var thrown: (text: String, index: Int)?
  var diagnostics: [ChapterDiagnostic] = []

  init(block: Block, file: String) {
    lines = block.lines
    scanned = SwiftScanner.scan(block.lines)
    liftImports(firstLine: block.firstLine)
    for (claimIndex, claim) in claims() {
      do {
        try add(claim, at: claimIndex, purpose: block.fence.purpose)
      } catch {
        diagnostics.append(
          ChapterDiagnostic(file: file, line: block.firstLine + claimIndex, message: error.message))
      }
    }
    if block.fence.purpose == .throwing, thrown == nil, diagnostics.isEmpty {
      diagnostics.append(
        ChapterDiagnostic(
          file: file, line: block.firstLine - 1,
          message: "a \"swift throws\" block says what it throws, in a line \"// => throws: text\""))
    }
  }

  /// Imports leave an empty line behind, so that the lines' numbers stay.
  private mutating func liftImports(firstLine: Int) {
    for (index, line) in scanned.enumerated() where line.depthBefore == 0 && !line.beginsInLiteral {
      let words = line.trimmed.split(separator: " ")
      guard words.first == "import" || (words.first?.hasPrefix("@") == true && words.dropFirst().first == "import")
      else { continue }
      imports.append(Import(text: line.trimmed, line: firstLine + index))
      lines[index] = ""
    }
  }

  /// The block's claims: the index of the first line of each, and its lines.
  private func claims() -> [(index: Int, lines: [String])] {
    var result: [(index: Int, lines: [String])] = []
    for (index, line) in scanned.enumerated() {
      guard let claim = line.comment.flatMap(OutputCheck.claim) else { continue }
      if let last = result.last, line.isBlank, last.index + last.lines.count == index,
        !claim.hasPrefix("throws:")
      {
        result[result.count - 1].lines.append(claim)
      } else {
        result.append((index, [claim]))
      }
    }
    return result
  }

  private mutating func add(_ claim: [String], at index: Int, purpose: Fence.Purpose) throws(Complaint) {
    guard purpose != .declaration else {
      throw Complaint("nothing runs in a \"swift declaration\" block: check the value in a \"swift\" block")
    }
    let check = try OutputCheck(lines: claim)
    if case .thrown(let text) = check {
      guard purpose == .throwing else { throw Complaint("\"// => throws:\" belongs in a \"swift throws\" block") }
      guard thrown == nil else { throw Complaint("a block throws once") }
      thrown = (text, index)
      return
    }
    let end = scanned[index].isBlank ? index - 1 : index
    guard end >= 0, !scanned[end].isBlank else { throw Complaint(Snippet.noExpression) }
    guard let start = statementStart(endingAt: end) else { throw Complaint(Snippet.noExpression) }
    let name = try checkedName(start...end)
    checks.append(Check(check: check, statement: start...end, name: name, claimIndex: index))
  }

  private static let noExpression = "no expression before this \"// =>\""

  /// The first line of the statement that ends on a line, nil where that line opens a bracket it does not close.
  private func statementStart(endingAt end: Int) -> Int? {
    let depth = scanned[end].depthAfter
    for index in (0...end).reversed() {
      guard scanned[index].lowestDepth >= depth else { return nil }
      if scanned[index].depthBefore == depth, beginsStatement(index) { return index }
    }
    return nil
  }

  /// Whether a line begins a statement rather than going on with the one before.
  private func beginsStatement(_ index: Int) -> Bool {
    let line = scanned[index]
    guard !line.isBlank, !line.beginsInLiteral else { return false }
    let text = line.trimmed
    if text.hasPrefix(".") || text.hasPrefix("{") { return false }
    let firstWord = text.prefix { !$0.isWhitespace }
    if ["else", "catch", "where", "?", ":"].contains(firstWord) || firstWord.allSatisfy(Snippet.isOperator) {
      return false
    }
    guard let before = scanned[..<index].last(where: { !$0.isBlank })?.trimmed, let last = before.last else {
      return true
    }
    if before.hasPrefix("@"), !before.contains(" ") { return false }
    let lastWord = before.reversed().prefix { !$0.isWhitespace }
    return last != "," && !lastWord.allSatisfy(Snippet.isOperator)
  }

  private static func isOperator(_ character: Character) -> Bool { "+-*/%=<>!&|^~?:.".contains(character) }

  /// The variable that a statement declares, nil for an expression.
  private func checkedName(_ statement: ClosedRange<Int>) throws(Complaint) -> String? {
    let depth = scanned[statement.lowerBound].depthBefore
    let text = scanned[statement].map(\.skeleton).joined(separator: "\n").trimmingSpaces()
    if scanned[statement].contains(where: { $0.depthBefore == depth && $0.skeleton.contains(";") && !$0.skeleton.contains("{") }) {
      throw Complaint("put the checked expression on a line of its own, without \";\"")
    }
    let words = text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
    let first = text.prefix { $0.isLetter }
    if first == "let" || first == "var" {
      let rest = text.dropFirst(first.count).drop(while: \.isWhitespace)
      let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
      let following = rest.dropFirst(name.count).drop(while: \.isWhitespace).first
      guard !name.isEmpty, following == "=" || following == ":" else {
        throw Complaint("a checked declaration declares one variable")
      }
      return String(name)
    }
    if Snippet.statementKeywords.contains(String(first)) || text.hasPrefix("#") || text.hasPrefix("@") {
      throw Complaint("\(Snippet.noExpression): \"\(first.isEmpty ? text.prefix(1) : first)\" is a statement")
    }
    if words.first == "print" {
      throw Complaint("a check reads a value, not what is printed: write the expression without \"print\"")
    }
    return nil
  }

  private static let statementKeywords: Set<String> = [
    "for", "while", "repeat", "if", "guard", "switch", "do", "defer", "func", "struct", "class", "enum", "actor",
    "protocol", "extension", "typealias", "import", "return", "throw", "break", "continue", "else", "case", "default",
  ]

  /// The lines at which a statement of the block's own level begins that may throw: where to note the line, so that
  /// an uncaught error is reported there.
  var throwingStatements: [Int] {
    let starts = scanned.indices.filter { scanned[$0].depthBefore == 0 && beginsStatement($0) }
    return starts.enumerated().filter { position, start in
      let end = position + 1 < starts.count ? starts[position + 1] : scanned.count
      return scanned[start..<end].contains {
        $0.skeleton.split { !$0.isLetter && !$0.isNumber }.contains("try")
      }
    }.map(\.element)
  }
}
