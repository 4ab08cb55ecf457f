/// A Markdown file `NN-title.md` and its fenced blocks, in order.
public struct Chapter: Hashable, Sendable {
  /// As diagnostics name it: relative to the package, `docs/01-imbalance.md`.
  public var file: String
  /// The first heading's text, else the file's name.
  public var title: String
  /// The heading's line, from 1.
  public var titleLine: Int
  public var blocks: [Block]

  /// The test's name: `docs/01-imbalance.md` is `chapter01Imbalance`.
  public var identifier: String { Chapter.identifier(of: file) }

  static func identifier(of file: String) -> String {
    let stem = Chapter.stem(of: file)
    let words = stem.split { !$0.isLetter && !$0.isNumber }
    return "chapter" + words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  /// The file's name without folder and extension.
  static func stem(of file: String) -> String {
    let name = file.split(separator: "/").last ?? ""
    return String(name.hasSuffix(".md") ? name.dropLast(3) : name)
  }
}

/// One fenced block.
public struct Block: Hashable, Sendable {
  public var fence: Fence
  /// What stands between the fences.
  public var lines: [String]
  /// The line after the opening fence, from 1.
  public var firstLine: Int
}

/// What the words after the backticks ask for.
public struct Fence: Hashable, Sendable {
  public enum Purpose: Hashable, Sendable {
    /// `swift`: statements, run in the chapter's test.
    case statements
    /// `swift declaration`: file scope.
    case declaration
    /// `swift throws`: statements of which one throws.
    case throwing
    /// `sh run`: run in the package's root, exit status 0.
    case shell
    /// `yaml recipe`: read by the configuration reader.
    case recipe
    /// `swift ignore`: shown only, with its reason in a comment.
    case ignored
    /// Shown only: the languages that are not run.
    case shown
  }

  public var purpose: Purpose
  /// Run, but of no interest to a reader: kept in an HTML comment.
  public var isHidden = false
}
