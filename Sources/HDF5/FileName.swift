/// A name in a file: bytes, UTF-8 if all is well. Swift's strings are equal where Unicode holds them to be the same, whatever
/// their bytes; names that differ must not be.
struct FileName: Hashable, Sendable {
  let bytes: [UInt8]
  /// What the package calls it: the text, in which bytes that are no UTF-8 appear as `\\xFF`.
  private(set) var shown: String

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    shown = String(validating: bytes, as: UTF8.self) ?? Self.escapingInvalid(bytes)
  }

  /// Call until what it shows is taken by no name beside it.
  mutating func distinguish() {
    let escaped = shown.unicodeScalars.reduce(into: "") { $0 += $1.isASCII ? String($1) : $1.escaped(asASCII: true) }
    shown = Array(escaped.utf8) == Array(shown.utf8) ? shown + "'" : escaped
  }

  /// Pieces between slashes, of which there may be one before a combining mark.
  static func components(of path: String) -> [String] {
    path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
  }

  private static func escapingInvalid(_ bytes: [UInt8]) -> String {
    var text = ""
    var rest = bytes[...]
    while let first = rest.first {
      let length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
      if let character = String(validating: rest.prefix(length), as: UTF8.self) {
        text += character
        rest = rest.dropFirst(length)
      } else {
        text += "\\x" + (first < 16 ? "0" : "") + String(first, radix: 16, uppercase: true)
        rest = rest.dropFirst()
      }
    }
    return text
  }
}
