import Foundation

/// The results of one of the book's experiments on one data set, of `docs/results/MODE/NAME.csv`, as chapters check claims about
/// them.
public struct Results: Sendable {
  private let name: String
  private let rows: [[String: String]]

  /// - Parameters:
  ///   - data: a data set's name.
  ///   - mode: `quick`, a few steps from a trained backbone, or `full`, the recipes as they are.
  /// - Throws: `ResultsError` where the file is missing or has no rows of the data set.
  public init(_ name: String, on data: String = "digit-scenes", mode: String = "quick") throws {
    let path = "docs/results/\(mode)/\(name).csv"
    guard let contents = FileManager.default.contents(atPath: path) else {
      throw ResultsError(description: "\(path) cannot be read: run \"make book\"")
    }
    var lines = String(decoding: contents, as: UTF8.self).split(separator: "\n").map(Self.fields)
    guard lines.count > 1 else { throw ResultsError(description: "\(path) holds no results") }
    let header = lines.removeFirst()
    self.name = name
    rows = lines.map { Dictionary(zip(header, $0)) { first, _ in first } }.filter { $0["data"] == data }
    guard !rows.isEmpty else { throw ResultsError(description: "\(path) holds no results on \(data)") }
  }

  /// Mean over seeds; runs that diverged have no AP and do not count.
  /// - Parameters:
  ///   - column: a heading of the file, `ap50`.
  ///   - thresholder: needed where weights were evaluated with several.
  /// - Throws: `ResultsError` where there is nothing of that name.
  public func mean(_ column: String, of run: String, thresholder: String? = nil) throws -> Double {
    let values = try select(run, thresholder).compactMap { $0[column].flatMap(Double.init) }
    guard !values.isEmpty else { throw ResultsError(description: "\(name): no \(column) of \"\(run)\"") }
    return values.reduce(0, +) / Double(values.count)
  }

  /// How many of a run's seeds diverged.
  public func diverged(_ run: String) throws -> Int {
    try Set(select(run, nil).filter { $0["divergedAt"]?.isEmpty == false }.map { $0["seed"] }).count
  }

  private func select(_ run: String, _ thresholder: String?) throws -> [[String: String]] {
    let found = rows.filter { $0["run"] == run && (thresholder == nil || $0["thresholder"] == thresholder) }
    guard !found.isEmpty else {
      let known = Set(rows.compactMap { $0["run"] }).sorted().joined(separator: "; ")
      throw ResultsError(description: "\(name): no run \"\(run)\"\(thresholder.map { " with \($0)" } ?? ""); there are \(known)")
    }
    return found
  }

  /// Splits at commas outside of double quotes.
  private static func fields(_ line: Substring) -> [String] {
    var fields = [""]
    var quoted = false
    for character in line {
      if character == "\"" { quoted.toggle() } else if character == ",", !quoted { fields.append("") } else {
        fields[fields.count - 1].append(character)
      }
    }
    return fields
  }
}

/// Why results could not be had.
public struct ResultsError: Error, CustomStringConvertible {
  public let description: String
}
