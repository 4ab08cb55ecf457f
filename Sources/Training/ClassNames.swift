enum ClassNames {
  /// How two lists of classes differ, in words; nil where they are the same in the same order.
  static func difference(_ first: [String], of firstOwner: String, _ second: [String], of secondOwner: String) -> String? {
    if first.count != second.count {
      return "\(firstOwner) has \(count(first)), \(secondOwner) \(count(second))"
    }
    guard let index = first.indices.first(where: { first[$0] != second[$0] }) else { return nil }
    return "class \(index) is \"\(first[index])\" in \(firstOwner), \"\(second[index])\" in \(secondOwner)"
  }

  private static func count(_ names: [String]) -> String {
    let shown = names.prefix(4).joined(separator: ", ") + (names.count > 4 ? ", ..." : "")
    return "\(names.count) \(names.count == 1 ? "class" : "classes") (\(shown))"
  }
}
