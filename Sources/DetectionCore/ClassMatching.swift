import Suggestions

/// Which of one list's classes each class of another is: by name, whatever the order. Names that say nothing, such as
/// "class 3", are matched by position.
public struct ClassMatching: Hashable, Sendable {
  /// [wanted]: the class' index in the known list; nil where it is not there.
  public let indexes: [Int?]
  public let isByPosition: Bool
  private let wanted: [String]
  private let known: [String]

  /// - Parameters:
  ///   - known: a detector's classes, in the order of its outputs.
  ///   - wanted: the classes to be found among them.
  ///   - numbersAreNames: whether "3" is what somebody called a class; else it is as good as "class 3".
  ///   - byNameAlone: never by position.
  public init(_ wanted: [String], in known: [String], numbersAreNames: Bool = true, byNameAlone: Bool = false) {
    self.wanted = wanted
    self.known = known
    let positions = Dictionary(zip(known, known.indices)) { first, _ in first }
    let byName: [Int?] = wanted == known ? Array(known.indices) : wanted.map { positions[$0] }
    func areGeneric(_ names: some Sequence<String>) -> Bool {
      names.allSatisfy { Self.isGeneric($0, numbersAreNames: numbersAreNames) }
    }
    // The background's row is nobody's class, though some data sets count it in.
    let behindBackground = known.first == Self.background ? 1 : 0
    let isNamed = byNameAlone || !byName.contains(nil)
    let start = [0, behindBackground].first { known.count - $0 == wanted.count }
    if !isNamed, let start, areGeneric(known.dropFirst(behindBackground)) || areGeneric(wanted) {
      indexes = Array(start..<known.count)
      isByPosition = true
    } else {
      indexes = byName
      isByPosition = false
    }
  }

  /// What torchvision's detectors have as their first output, though nothing is trained to be it.
  public static let background = "background"

  /// The name of a class of which only the number is known.
  public static func generic(_ index: Int) -> String { "class \(index)" }

  private static func isGeneric(_ name: String, numbersAreNames: Bool) -> Bool {
    let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }.count
    let word = name.dropLast(digits).lowercased().filter { !" _-".contains($0) }
    return digits > 0 && (word == "class" || word == "label" || (word.isEmpty && !numbersAreNames))
  }

  /// The first class that is not among the known ones.
  public var unknown: String? { zip(wanted, indexes).first { $0.1 == nil }?.0 }

  /// - Parameters: owners of the two lists, as in "the data set".
  /// - Returns: what is wrong where a class is not among the known ones, with the nearest that is; nil where all are.
  public func complaint(_ wantedOwner: String, _ knownOwner: String) -> String? {
    unknown.map {
      "\(wantedOwner) has \(Self.list(wanted)), \(knownOwner) \(Self.list(known)): no \"\($0)\" among them\(Suggestions.hint(for: $0, in: known))"
    }
  }

  /// - Returns: that names were not enough; nil where they were.
  public func note(_ wantedOwner: String, _ knownOwner: String) -> String? {
    guard isByPosition else { return nil }
    let pairs = zip(wanted, indexes).prefix(3).map { "\"\($0)\" is \"\($1.map { known[$0] } ?? "")\"" }
    let rest = wanted.count > 3 ? ", ..." : ""
    return "classes by position, as names say nothing: \(pairs.joined(separator: ", "))\(rest) (\(wantedOwner), \(knownOwner))"
  }

  /// The number of classes and the first names.
  public static func list(_ names: [String]) -> String {
    let shown = names.prefix(4).joined(separator: ", ") + (names.count > 4 ? ", ..." : "")
    return "\(names.count) \(names.count == 1 ? "class" : "classes") (\(shown))"
  }

  /// How two lists differ, in words; nil where they are the same in the same order.
  public static func difference(_ first: [String], of firstOwner: String, _ second: [String], of secondOwner: String) -> String? {
    if first.count != second.count { return "\(firstOwner) has \(list(first)), \(secondOwner) \(list(second))" }
    guard let index = first.indices.first(where: { first[$0] != second[$0] }) else { return nil }
    return "class \(index) is \"\(first[index])\" in \(firstOwner), \"\(second[index])\" in \(secondOwner)"
  }
}
