/// Writes the Swift file of a chapter's test.
public struct ChapterGenerator {
  /// Where `sh run` blocks run.
  public var packageDirectory: String

  public init(packageDirectory: String) { self.packageDirectory = packageDirectory }

  /// - Returns: a Swift file with one Swift Testing function, named `chapter.identifier`.
  /// - Throws: `ChapterErrors` with every output check that is malformed or has no expression.
  public func source(for chapter: Chapter) throws(ChapterErrors) -> String {
    var writer = ChapterWriter(file: chapter.file)
    for block in chapter.blocks { writer.add(block) }
    guard writer.diagnostics.isEmpty else { throw ChapterErrors(diagnostics: writer.diagnostics) }

    var lines = [
      "// Generated from \(chapter.file) by the Literate plugin: edit the chapter instead.",
      "import LiterateSupport",
      "import Testing",
    ]
    if chapter.blocks.contains(where: { $0.fence.purpose == .recipe }) { lines.append("import SamplingFree") }
    lines += writer.imports + writer.declarations
    lines += [writer.location(chapter.titleLine)]
    lines += ["@Test(\(chapter.title.swiftLiteral)) func \(chapter.identifier)() async throws {", "#sourceLocation()"]
    lines += [
      "var _chapter = ChapterRun(file: \(chapter.file.swiftLiteral), "
        + "packageDirectory: \(packageDirectory.swiftLiteral))",
      "do {",
      "try _chapter.enter(line: \(chapter.titleLine))",
    ]
    lines += writer.body + ["} catch {", "try _chapter.record(error)", "}", "}", ""]
    return lines.joined(separator: "\n")
  }
}

/// Collects the parts of a chapter's Swift file.
private struct ChapterWriter {
  let file: String
  var imports: [String] = []
  var declarations: [String] = []
  var body: [String] = []
  var diagnostics: [ChapterDiagnostic] = []
  private var imported: Set<String> = []

  init(file: String) { self.file = file }

  func location(_ line: Int) -> String { "#sourceLocation(file: \(file.swiftLiteral), line: \(line))" }

  mutating func add(_ block: Block) {
    switch block.fence.purpose {
    case .shown, .ignored:
      break
    case .shell:
      let script = block.lines.joined(separator: "\n")
      let expected = block.lines.compactMap { line -> String? in
        let text = line.trimmingSpaces()
        return text.hasPrefix("#") ? OutputCheck.claim(in: String(text.dropFirst())) : nil
      }
      let list = expected.map(\.swiftLiteral).joined(separator: ", ")
      body += [
        "try _chapter.enter(line: \(block.firstLine))",
        "try _chapter.shell(\(script.swiftLiteral), printing: [\(list)])",
      ]
    case .recipe:
      let yaml = block.lines.joined(separator: "\n") + "\n"
      body += [
        "try _chapter.enter(line: \(block.firstLine))",
        location(block.firstLine),
        "do {",
        "let recipe = try ExperimentConfiguration(yaml: \(yaml.swiftLiteral), name: \("\(file):\(block.firstLine)".swiftLiteral))",
        // A plugin's strategies are not there; all others are made, so that their parameters are checked.
        "if recipe.plugins.isEmpty { _ = try Strategies(recipe, registry: .standard) }",
        "}",
        "#sourceLocation()",
      ]
    case .declaration, .statements, .throwing:
      addSwift(block)
    }
  }

  private mutating func addSwift(_ block: Block) {
    let snippet = Snippet(block: block, file: file)
    diagnostics += snippet.diagnostics
    for line in snippet.imports where imported.insert(line.text).inserted {
      imports += [location(line.line), line.text, "#sourceLocation()"]
    }
    if block.fence.purpose == .declaration {
      declarations += [location(block.firstLine)] + snippet.lines + ["#sourceLocation()"]
      return
    }
    body.append("try _chapter.enter(line: \(block.firstLine))")
    guard let thrown = snippet.thrown else {
      body += statements(snippet, firstLine: block.firstLine)
      return
    }
    body.append("do {")
    body += statements(snippet, firstLine: block.firstLine)
    body += [
      "_chapter.recordMissingThrow(line: \(block.firstLine + thrown.index))",
      "} catch {",
      "_chapter.check(thrown: error, says: \(thrown.text.swiftLiteral), line: \(block.firstLine + thrown.index))",
      "}",
    ]
  }

  /// The block's lines with the checks between them; `#sourceLocation` leads back to the chapter after each.
  private func statements(_ snippet: Snippet, firstLine: Int) -> [String] {
    var lines = snippet.lines
    var before = Array(repeating: [String](), count: lines.count)
    var after = before
    for index in snippet.throwingStatements { before[index].append("_chapter.line = \(firstLine + index)") }
    for check in snippet.checks {
      let line = firstLine + check.claimIndex
      let value = check.name ?? "_value\(line)"
      let start = check.statement.lowerBound
      if check.name == nil { lines[start] = "let \(value) = " + lines[start] }
      after[check.statement.upperBound].append("_chapter.check(\(value), \(check.check.arguments), line: \(line))")
    }
    var result = [location(firstLine)]
    for index in lines.indices {
      if !before[index].isEmpty { result += before[index] + [location(firstLine + index)] }
      result.append(lines[index])
      if !after[index].isEmpty {
        result += [location(firstLine + index)] + after[index] + [location(firstLine + index + 1)]
      }
    }
    return result + ["#sourceLocation()"]
  }
}

extension OutputCheck {
  /// The arguments of `ChapterRun.check` after the value.
  fileprivate var arguments: String {
    switch self {
    case .printed(let text), .thrown(let text): "prints: \(text.swiftLiteral)"
    case .approximately(let value, let tolerance): "isNear: \(value), tolerance: \(tolerance)"
    case .bound(let relation, let bound): "is: .\(relation), \(bound)"
    }
  }
}

extension String {
  /// As a Swift string literal on one line.
  var swiftLiteral: String {
    var result = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
