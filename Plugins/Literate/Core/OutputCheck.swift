/// What a `// =>` comment claims of the expression before it.
public enum OutputCheck: Hashable, Sendable {
  public enum Relation: String, CaseIterable, Sendable {
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
  }

  /// `// => 1.25e-05`: `String(describing:)`; `…` stands for any text.
  case printed(String)
  /// `// => ≈ 0.693 ± 1e-3`.
  case approximately(Double, tolerance: Double)
  /// `// => < 0.01`.
  case bound(Relation, Double)
  /// `// => throws: text`: the description of the error that ends a `swift throws` block; `…` as above.
  case thrown(String)

  /// The text after `=>` where a comment (without its slashes) is a check.
  static func claim(in comment: String) -> String? {
    let text = comment.drop { $0 == " " }
    guard text.hasPrefix("=>") else { return nil }
    let claim = text.dropFirst(2)
    let withoutSpace = claim.hasPrefix(" ") ? claim.dropFirst() : claim
    return String(withoutSpace.reversed().drop(while: \.isWhitespace).reversed())
  }

  /// - Parameter lines: the text after `=>`, one element for each comment line.
  /// - Throws: `Complaint` where a number, or a claim at all, is missing.
  init(lines: [String]) throws(Complaint) {
    let text = lines.joined(separator: "\n")
    let first = text.trimmingSpaces()
    guard !first.isEmpty else { throw Complaint("nothing after \"// =>\"") }
    if text.hasPrefix("throws:") {
      self = .thrown(text.dropFirst("throws:".count).trimmingSpaces())
    } else if first.hasPrefix("≈") {
      let parts = first.dropFirst().split(separator: "±", omittingEmptySubsequences: false)
      guard parts.count == 2, let value = OutputCheck.number(parts[0]), let tolerance = OutputCheck.number(parts[1])
      else { throw Complaint("expected \"// => ≈ 0.693 ± 1e-3\", found \"// => \(text)\"") }
      self = .approximately(value, tolerance: tolerance)
    } else if let relation = Relation.allCases.first(where: { first.hasPrefix($0.rawValue + " ") }) {
      guard let bound = OutputCheck.number(first.dropFirst(relation.rawValue.count)) else {
        throw Complaint("expected a number after \"\(relation.rawValue)\", found \"// => \(text)\"")
      }
      self = .bound(relation, bound)
    } else {
      self = .printed(text)
    }
  }

  private static func number(_ text: some StringProtocol) -> Double? {
    Double(text.trimmingSpaces().filter { $0 != "_" })
  }
}
