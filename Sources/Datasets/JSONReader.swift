/// Reads JSON (RFC 8259) from front to back as its caller asks for it, without building a tree: what nobody asks for costs
/// no memory, and errors know key, line and column.
struct JSONReader {
  private let bytes: [UInt8]
  private let file: String
  private var position = 0
  private var path: [PathElement] = []

  private enum PathElement {
    case key(String)
    case index(Int)
  }

  /// - Parameters:
  ///   - bytes: UTF-8, with or without a byte order mark.
  ///   - file: what errors call it.
  init(_ bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  enum Kind: String {
    case object = "an object"
    case array = "a list"
    case text = "a text"
    case number = "a number"
    case flag = "true or false"
    case null = "null"
  }

  /// Of the next value, which is not read.
  /// - Throws: `COCODatasetError.badJSON`, as all of the following.
  mutating func kind() throws -> Kind {
    skipSpace()
    guard let byte else { throw unexpected("a value") }
    switch byte {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .text
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    default: return try word() == "null" ? .null : .flag
    }
  }

  /// - Parameter member: reads or skips the value of a key.
  mutating func object(_ member: (inout JSONReader, _ key: String) throws -> Void) throws {
    try items(.object, closedBy: UInt8(ascii: "}")) { reader, _ in
      reader.skipSpace()
      guard reader.byte == UInt8(ascii: "\"") else { throw reader.unexpected("a key") }
      let key = try reader.quoted()
      reader.skipSpace()
      guard reader.byte == UInt8(ascii: ":") else { throw reader.unexpected("a colon") }
      reader.position += 1
      reader.path.append(.key(key))
      try member(&reader, key)
    }
  }

  /// - Parameter element: reads or skips one.
  mutating func array(_ element: (inout JSONReader, _ index: Int) throws -> Void) throws {
    try items(.array, closedBy: UInt8(ascii: "]")) { reader, index in
      reader.path.append(.index(index))
      try element(&reader, index)
    }
  }

  private mutating func items(_ kind: Kind, closedBy end: UInt8, _ item: (inout JSONReader, Int) throws -> Void) throws {
    try expect(kind)
    guard path.count < 512 else { throw invalid("is nested more than 512 deep") }
    position += 1
    skipSpace()
    var index = 0
    if byte == end {
      position += 1
      return
    }
    while true {
      try item(&self, index)
      path.removeLast()
      index += 1
      skipSpace()
      guard byte == UInt8(ascii: ",") || byte == end else {
        throw unexpected("a comma or \"\(Character(Unicode.Scalar(end)))\"")
      }
      position += 1
      if bytes[position - 1] == end { return }
      skipSpace()
      if byte == end { throw invalid("a comma before \"\(Character(Unicode.Scalar(end)))\"") }
    }
  }

  mutating func text() throws -> String {
    try expect(.text)
    return try quoted()
  }

  mutating func double() throws -> Double {
    try expect(.number)
    return try number().value
  }

  mutating func int() throws -> Int {
    try expect(.number, "a whole number")
    let start = position
    let (value, whole) = try number()
    if let number = whole ?? Int(exactly: value) { return number }
    let token = String(decoding: bytes[start..<position], as: UTF8.self)
    throw problem(value == value.rounded() ? "\(token) is too large a number" : "\(token) is not a whole number")
  }

  /// True or false, or 1 or 0.
  mutating func flag() throws -> Bool {
    if try kind() == .number { return try int() != 0 }
    try expect(.flag, "0 or 1")
    return try literal() == "true"
  }

  /// - Returns: whether there was a null, which is passed over.
  mutating func null() throws -> Bool {
    guard try kind() == .null else { return false }
    _ = try literal()
    return true
  }

  /// Passes over a value, whatever it is.
  mutating func skip() throws {
    switch try kind() {
    case .object: try object { reader, _ in try reader.skip() }
    case .array: try array { reader, _ in try reader.skip() }
    case .text: try skipQuoted()
    case .number: _ = try number()
    case .flag, .null: _ = try literal()
    }
  }

  /// That nothing but space follows.
  mutating func end() throws {
    skipSpace()
    if position < bytes.count { throw unexpected("the end of the file") }
  }

  // MARK: errors

  /// With the key of the value that is being read.
  /// - Parameter key: a further one, of a member of that value.
  func problem(_ problem: String, key: String? = nil) -> COCODatasetError {
    let elements = path + (key.map { [.key($0)] } ?? [])
    let name = elements.reduce("") { text, element in
      switch element {
      case .index(let index): "\(text)[\(index)]"
      case .key(let key): text.isEmpty ? key : "\(text).\(key)"
      }
    }
    // A key may be as long as its file.
    return .badJSON(file: file, key: name.count > 200 ? "\(name.prefix(200))…" : name, problem: problem)
  }

  private func invalid(_ reason: String) -> COCODatasetError {
    let before = bytes[..<min(position, bytes.count)]
    let line = before.reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
    let column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count + 1
    return problem("is not valid JSON: \(reason), line \(line), column \(column)")
  }

  private func unexpected(_ wanted: String) -> COCODatasetError {
    guard let byte else { return invalid("the file ends where \(wanted) is expected") }
    func has(_ text: String) -> Bool { bytes[position...].starts(with: text.utf8) }
    for name in ["NaN", "Infinity", "-Infinity"] where has(name) { return invalid("\(name), which is no number in JSON") }
    if has("//") || has("/*") || byte == UInt8(ascii: "#") { return invalid("a comment, of which JSON has none") }
    if byte == UInt8(ascii: "'") { return invalid("a single quote: texts stand in double quotes") }
    let found = (0x21...0x7E).contains(byte) ? "\"\(Character(Unicode.Scalar(byte)))\"" : "a byte of \(byte)"
    return invalid("\(found) where \(wanted) is expected")
  }

  private mutating func expect(_ wanted: Kind, _ name: String? = nil) throws {
    let found = try kind()
    if found == wanted { return }
    if found == .null { throw problem("is null") }
    let hint = found == .text && wanted == .number ? ": numbers stand without quotes" : ""
    throw problem("is \(found.rawValue), not \(name ?? wanted.rawValue)\(hint)")
  }

  // MARK: tokens

  private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  /// The one that comes next.
  private func word() throws -> String {
    for word in ["true", "false", "null"] where bytes[position...].starts(with: word.utf8) { return word }
    throw unexpected("a value")
  }

  private mutating func literal() throws -> String {
    let word = try word()
    position += word.utf8.count
    return word
  }

  /// - Returns: the value; and as a whole number, where it is written as one and is not too large.
  private mutating func number() throws -> (value: Double, whole: Int?) {
    let start = position
    let isNegative = byte == UInt8(ascii: "-")
    if isNegative { position += 1 }
    // The digits as one number, which is exact below 2^53, and how many of them are of the fraction.
    var (digits, isExact, places) = (0, true, 0)
    func take(_ reader: inout JSONReader, isFraction: Bool) throws {
      let first = reader.position
      while let byte = reader.byte, (0x30...0x39).contains(byte) {
        if digits < 900_000_000_000_000 { digits = digits * 10 + Int(byte - 0x30) } else { isExact = false }
        if isFraction { places += 1 }
        reader.position += 1
      }
      if reader.position == first { throw reader.unexpected("a digit") }
    }
    let startsWithZero = byte == UInt8(ascii: "0")
    try take(&self, isFraction: false)
    if startsWithZero && position > start + (isNegative ? 2 : 1) { throw invalid("a number with a 0 before it") }
    var isWhole = true
    if byte == UInt8(ascii: ".") {
      position += 1
      isWhole = false
      try take(&self, isFraction: true)
    }
    if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
      position += 1
      if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { position += 1 }
      (isWhole, isExact) = (false, false)
      try take(&self, isFraction: false)
    }
    // Both are exact, so that the quotient is rounded once.
    if isExact, places < Self.powersOfTen.count {
      let value = Double(digits) / Self.powersOfTen[places]
      return (isNegative ? -value : value, isWhole ? (isNegative ? -digits : digits) : nil)
    }
    let token = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let value = Double(token), value.isFinite else { throw problem("\(token) is too large a number") }
    return (value, isWhole ? Int(token) : nil)
  }

  private static let powersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
    1e22,
  ]

  /// Goes to behind a text's closing quote.
  /// - Returns: the bytes between the quotes, and whether there are escapes among them.
  @discardableResult
  private mutating func skipQuoted() throws -> (range: Range<Int>, isEscaped: Bool) {
    position += 1
    let start = position
    var isEscaped = false
    while let byte {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return (start..<position - 1, isEscaped)
      case UInt8(ascii: "\\"):
        isEscaped = true
        position += 2
      case 0..<0x20: throw invalid("a text that goes over the end of its line, or holds another control character")
      default: position += 1
      }
    }
    position = bytes.count
    throw invalid("the file ends in a text")
  }

  private mutating func quoted() throws -> String {
    let (range, isEscaped) = try skipQuoted()
    guard isEscaped else { return String(decoding: bytes[range], as: UTF8.self) }
    var result: [UInt16] = []
    var index = range.lowerBound
    func invalid(_ escape: Int) -> COCODatasetError {
      var reader = self
      reader.position = escape
      return reader.invalid("an escape that JSON does not know")
    }
    while index < range.upperBound {
      guard bytes[index] == UInt8(ascii: "\\") else {
        let end = bytes[index..<range.upperBound].firstIndex(of: UInt8(ascii: "\\")) ?? range.upperBound
        result += String(decoding: bytes[index..<end], as: UTF8.self).utf16
        index = end
        continue
      }
      if bytes[index + 1] == UInt8(ascii: "u") {
        let digits = bytes[index + 2..<min(index + 6, range.upperBound)].compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == 4 else { throw invalid(index) }
        result.append(UInt16(digits.reduce(0) { $0 << 4 | $1 }))
        index += 6
      } else {
        guard let value = Self.escapes[bytes[index + 1]] else { throw invalid(index) }
        result.append(value)
        index += 2
      }
    }
    return String(decoding: result, as: UTF16.self)
  }

  private static let escapes: [UInt8: UInt16] = [
    UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "/"): 0x2F, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12,
    UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
  ]
}
