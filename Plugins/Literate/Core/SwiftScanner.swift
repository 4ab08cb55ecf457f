/// A line of Swift as far as output checks need to know it: its comment, its brackets, no strings.
struct ScannedLine: Hashable {
  /// The line without comments, string contents as `_`.
  var skeleton = ""
  /// What follows `//`, nil without.
  var comment: String?
  /// Open brackets of all three kinds before, after, and at the least within the line.
  var depthBefore: Int
  var depthAfter: Int
  var lowestDepth: Int
  /// Begins within a multi-line string or comment.
  var beginsInLiteral: Bool

  var trimmed: String { skeleton.trimmingSpaces() }
  var isBlank: Bool { skeleton.allSatisfy(\.isWhitespace) }
}

/// Tells code from strings and comments, across a block's lines. Strings may be raw, multi-line and interpolated.
/// Regular expression literals with quotes or brackets in them are not understood.
struct SwiftScanner {
  private enum Mode: Equatable {
    /// The block itself.
    case code
    /// `\( ... )` within a string: open parentheses within.
    case interpolation(parentheses: Int)
    case string(isMultiline: Bool, pounds: Int)
    case comment
  }

  private var modes: [Mode] = [.code]
  private var depth = 0

  static func scan(_ lines: [String]) -> [ScannedLine] {
    var scanner = SwiftScanner()
    return lines.map { scanner.scan(line: Array($0)) }
  }

  private mutating func scan(line characters: [Character]) -> ScannedLine {
    var line = ScannedLine(depthBefore: depth, depthAfter: depth, lowestDepth: depth, beginsInLiteral: modes != [.code])
    var rest = characters[...]
    while let character = rest.first {
      switch modes[modes.count - 1] {
      case .comment:
        rest = readComment(rest)
      case .string(let isMultiline, let pounds):
        rest = readString(rest, isMultiline: isMultiline, pounds: pounds)
        line.skeleton += "_"
      case .code, .interpolation:
        if rest.starts(with: "//") {
          line.comment = String(rest.dropFirst(2))
          rest = []
        } else if rest.starts(with: "/*") {
          modes.append(.comment)
          rest = rest.dropFirst(2)
        } else if let (length, string) = SwiftScanner.opening(rest) {
          modes.append(string)
          line.skeleton += "\""
          rest = rest.dropFirst(length)
        } else {
          readBracket(character)
          line.lowestDepth = min(line.lowestDepth, depth)
          line.skeleton.append(modes == [.code] ? character : "_")
          rest = rest.dropFirst()
        }
      }
    }
    // A string ends with its line unless it is multi-line: the compiler will complain of it.
    if case .string(isMultiline: false, _) = modes[modes.count - 1] { modes.removeLast() }
    line.depthAfter = depth
    return line
  }

  private mutating func readBracket(_ character: Character) {
    guard case .interpolation(let parentheses) = modes[modes.count - 1] else {
      if "([{".contains(character) { depth += 1 }
      if ")]}".contains(character) { depth -= 1 }
      return
    }
    if character == "(" { modes[modes.count - 1] = .interpolation(parentheses: parentheses + 1) }
    if character == ")" {
      if parentheses == 0 {
        modes.removeLast()
      } else {
        modes[modes.count - 1] = .interpolation(parentheses: parentheses - 1)
      }
    }
  }

  private mutating func readComment(_ rest: ArraySlice<Character>) -> ArraySlice<Character> {
    if rest.starts(with: "*/") {
      modes.removeLast()
      return rest.dropFirst(2)
    }
    if rest.starts(with: "/*") {
      modes.append(.comment)
      return rest.dropFirst(2)
    }
    return rest.dropFirst()
  }

  private mutating func readString(
    _ rest: ArraySlice<Character>, isMultiline: Bool, pounds: Int
  ) -> ArraySlice<Character> {
    let hashes = String(repeating: "#", count: pounds)
    let closing = (isMultiline ? "\"\"\"" : "\"") + hashes
    if rest.starts(with: closing) {
      modes.removeLast()
      return rest.dropFirst(closing.count)
    }
    if rest.starts(with: "\\" + hashes) {
      let escaped = rest.dropFirst(1 + pounds)
      if escaped.first == "(" { modes.append(.interpolation(parentheses: 0)) }
      return escaped.dropFirst()
    }
    return rest.dropFirst()
  }

  /// The length of a string's opening delimiter and what it opens.
  private static func opening(_ rest: ArraySlice<Character>) -> (Int, Mode)? {
    let pounds = rest.prefix { $0 == "#" }.count
    let quotes = rest.dropFirst(pounds)
    guard quotes.first == "\"" else { return nil }
    let isMultiline = quotes.starts(with: "\"\"\"")
    return (pounds + (isMultiline ? 3 : 1), .string(isMultiline: isMultiline, pounds: pounds))
  }
}
