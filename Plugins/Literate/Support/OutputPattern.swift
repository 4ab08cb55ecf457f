/// A text in which `…` stands for any characters, none included.
public struct OutputPattern: Sendable {
  private let parts: [Substring]

  public init(_ text: String) {
    parts = text.split(separator: "…", omittingEmptySubsequences: false)
  }

  public func matches(_ text: String) -> Bool {
    guard let first = parts.first, let last = parts.last, parts.count > 1 else { return text == parts.first ?? "" }
    guard text.hasPrefix(first) else { return false }
    var rest = text.dropFirst(first.count)
    for part in parts.dropFirst().dropLast() {
      guard let found = rest.ranges(of: part).first ?? (part.isEmpty ? rest.startIndex..<rest.startIndex : nil)
      else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.count >= last.count && rest.hasSuffix(last)
  }
}
