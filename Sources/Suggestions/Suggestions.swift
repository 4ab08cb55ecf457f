/// The nearest of the valid names to a mistyped one, for error messages.
public enum Suggestions {
  /// The candidate with the smallest edit distance, if it is near enough to be what was meant.
  public static func nearest(to name: String, in candidates: some Sequence<String>) -> String? {
    let lowered = name.lowercased()
    let best = candidates.map { ($0, editDistance(lowered, $0.lowercased())) }.min { $0.1 < $1.1 }
    guard let best, best.1 <= max(2, name.count / 2) else { return nil }
    return best.0
  }

  /// `; did you mean "x"?`, or nothing.
  public static func hint(for name: String, in candidates: some Sequence<String>) -> String {
    nearest(to: name, in: candidates).map { "; did you mean \"\($0)\"?" } ?? ""
  }

  /// Levenshtein distance, in characters.
  public static func editDistance(_ a: String, _ b: String) -> Int {
    let a = Array(a), b = Array(b)
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let substitution = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substitution, diagonal + 1, row[j] + 1)
      }
    }
    return row[b.count]
  }
}
