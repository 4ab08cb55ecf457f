import DetectionCore
import Foundation

/// Scans of handwritten digits: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998
/// (CC BY 4.0).
public struct OptDigits: Sendable {
  /// A scan's width and height, in cells.
  public static let side = 8
  /// Full ink: a cell counts the inked ones of 4x4 pixels.
  public static let maximumInk: UInt8 = 16

  /// `[count, 8, 8]`, rows top down, 0...16.
  public let ink: [UInt8]
  /// `[count]`, 0...9.
  public let labels: [UInt8]

  public var count: Int { labels.count }

  /// The 1,797 scans that come with this package.
  /// - Throws: `OptDigitsError`.
  public static func load() throws -> OptDigits {
    let path = "Resources/digit-scenes/optdigits.csv"
    guard let url = Bundle.module.url(forResource: path, withExtension: nil) else {
      throw OptDigitsError.missingFile(path: path)
    }
    return try OptDigits(contentsOf: url)
  }

  /// Reads lines of 64 numbers 0...16 and a label 0...9, separated by commas.
  /// - Throws: `OptDigitsError`.
  public init(contentsOf url: URL) throws {
    guard let data = try? Data(contentsOf: url) else { throw OptDigitsError.missingFile(path: url.path) }
    try self.init(csv: Array(data), name: url.lastPathComponent)
  }

  /// - Parameter name: what errors call the text.
  /// - Throws: `OptDigitsError`.
  public init(csv: [UInt8], name: String) throws {
    let cells = Self.side * Self.side
    var ink: [UInt8] = []
    var labels: [UInt8] = []
    ink.reserveCapacity(csv.count / 2)
    for (index, line) in csv.split(separator: UInt8(ascii: "\n")).enumerated() {
      var fields = 0
      var value = -1
      func close() throws {
        let limit = fields == cells ? 9 : Int(Self.maximumInk)
        guard fields <= cells, (0...limit).contains(value) else {
          throw OptDigitsError.badLine(name: name, line: index + 1, field: fields + 1)
        }
        if fields == cells { labels.append(UInt8(value)) } else { ink.append(UInt8(value)) }
        fields += 1
        value = -1
      }
      for byte in line {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9") where value < 100:
          value = max(value, 0) * 10 + Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: ","): try close()
        case UInt8(ascii: "\r"): continue
        default: throw OptDigitsError.badLine(name: name, line: index + 1, field: fields + 1)
        }
      }
      try close()
      guard fields == cells + 1 else {
        throw OptDigitsError.badLine(name: name, line: index + 1, field: fields + 1)
      }
    }
    guard !labels.isEmpty else { throw OptDigitsError.empty(name: name) }
    self.ink = ink
    self.labels = labels
  }

  /// Indices of the scans of a split, one list a digit, ascending.
  ///
  /// Of each digit every fifth scan, in an order shuffled once and for all, is for validation: which scans may appear
  /// in a split depends on nothing else, so that no choice of seeds leaks one into the other.
  public func indices(for split: DatasetSplit) -> [[Int]] {
    (0..<10).map { digit in
      let scans = labels.indices.filter { labels[$0] == digit }
      var generator = SeededGenerator(seed: 0x0D16_1755)
      let shuffled = generator.permutation(of: scans.count).map { scans[$0] }
      return shuffled.enumerated().filter { ($0.offset % 5 == 4) == (split == .validation) }.map(\.element).sorted()
    }
  }
}

/// Why scans could not be read.
public enum OptDigitsError: Error, Hashable, CustomStringConvertible {
  case missingFile(path: String)
  case badLine(name: String, line: Int, field: Int)
  case empty(name: String)

  public var description: String {
    switch self {
    case .missingFile(let path): "handwritten digits: cannot read \(path)"
    case .badLine(let name, let line, let field):
      "\(name):\(line): field \(field): expected 64 numbers 0...16 and a digit 0...9, separated by commas"
    case .empty(let name): "\(name): holds no scan"
    }
  }
}
