import Suggestions

extension Fence {
  /// The words each language takes; a language with none is shown only.
  static let words: [String: [String]] = [
    "swift": ["declaration", "hidden", "ignore", "throws"],
    "sh": ["run"],
    "yaml": ["recipe"],
    "bibtex": [], "c": [], "json": [], "math": [], "mermaid": [], "python": [], "text": [],
  ]

  /// - Parameter info: what follows the opening fence: a language and its words.
  /// - Throws: `Complaint` for an unknown language or word, or words that exclude one another.
  init(info: String) throws(Complaint) {
    let given = info.split(whereSeparator: \.isWhitespace).map(String.init)
    guard let language = given.first else {
      self.init(purpose: .shown)
      return
    }
    guard let known = Fence.words[language] else {
      throw Complaint(
        "unknown fence language \"\(language)\"\(Suggestions.hint(for: language, in: Fence.words.keys.sorted()))")
    }
    let words = given.dropFirst()
    for word in words where !known.contains(word) {
      guard !known.isEmpty else { throw Complaint("a \"\(language)\" fence takes no words, found \"\(word)\"") }
      throw Complaint(
        "unknown fence word \"\(word)\" after \"\(language)\"\(Suggestions.hint(for: word, in: known)); "
          + "valid: \(known.joined(separator: ", "))")
    }
    let isHidden = words.contains("hidden")
    let purposes = words.filter { $0 != "hidden" }
    guard purposes.count <= 1 else {
      throw Complaint("a fence takes one of \(purposes.map { "\"\($0)\"" }.joined(separator: ", "))")
    }
    switch (language, purposes.first) {
    case ("swift", nil): self.init(purpose: .statements, isHidden: isHidden)
    case ("swift", "declaration"): self.init(purpose: .declaration, isHidden: isHidden)
    case ("swift", "throws"): self.init(purpose: .throwing, isHidden: isHidden)
    case ("swift", "ignore") where isHidden: throw Complaint("a block is either hidden or ignored")
    case ("swift", "ignore"): self.init(purpose: .ignored)
    case ("sh", "run"): self.init(purpose: .shell)
    case ("yaml", "recipe"): self.init(purpose: .recipe)
    default: self.init(purpose: .shown)
    }
  }
}
