import DetectionCore

/// Damages JSON and YAML by tokens, so that most of what comes out can still be parsed.
enum TextMutator {
  static func mutate(_ input: [UInt8], words: [String], _ random: inout SeededGenerator, _ bytes: ByteMutator) -> [UInt8] {
    if random.chance(1, in: 6) { return bytes(input, &random) }
    var tokens = tokens(of: input)
    guard !tokens.isEmpty else { return Array(random.pick(hostile).utf8) }
    for _ in 0...random.index(below: 3) {
      let position = random.index(below: tokens.count)
      switch random.index(below: 12) {
      case 0...3:
        // Values rather than brackets and spaces.
        let values = tokens.indices.filter { isValue(tokens[$0]) }
        tokens[values.isEmpty ? position : random.pick(values)] = Array(random.pick(hostile).utf8)
      case 4: tokens[position] = Array(random.pick(words).utf8)
      case 5: tokens.insert(Array(random.pick(random.chance(1, in: 2) ? hostile : words).utf8), at: position)
      case 6: tokens.swapAt(position, random.index(below: tokens.count))
      case 7: tokens.removeSubrange(position..<min(tokens.count, position + 1 + random.index(below: 4)))
      case 8, 9:
        // Keys that are there twice, lists that grow.
        let length = 1 + random.index(below: min(24, tokens.count - position))
        let part = tokens[position..<position + length]
        tokens.insert(contentsOf: random.chance(1, in: 3) ? Array(part) : part + [[UInt8(ascii: ",")]], at: position)
      case 10:
        let depth = random.pick([1, 3, 40, 600, 5000])
        let (open, close) = random.pick([("[", "]"), ("{\"a\":", "}"), ("{a: ", "}"), ("- ", ""), ("(", ")")])
        tokens[position] = Array((String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)).utf8)
      default: tokens[position] = bytes(tokens[position], &random)
      }
      if tokens.isEmpty { tokens = [[]] }
    }
    return Array(tokens.joined())
  }

  static let hostile = [
    "NaN", ".nan", ".inf", "-.inf", "Infinity", "1e400", "-1e400", "1e-400", "1e308", "-1", "0", "-0.0", "0.5", "1", "2", "1e18", "1e7",
    "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551616", "2147483648", "0x7fffffffffffffff",
    "1099511627776", "65536", "1000000", "0o17", "1_000", "00012", "+1", "1.", "null", "~", "true", "false", "yes", "\"\"", "''", "\"\\u0000\"", "\"\\ud800\"",
    "\"\\u001b[31m\"", "\"a\\nb\"", "\"é\"", "\"e\u{301}\"", "é", "e\u{301}", "\"\u{202E}x\"", "\u{FEFF}", "\u{85}", "\u{2028}", "[]", "{}", "[[]]", "[1]", "[1, 2]", "{a: 1}",
    "{\"a\": 1}", "*a", "&a x", "!!binary x", "!!int x", "!!set {a}", "!<x>", "<<", "<<: {seed: 1}", "? ", "|", ">", "\t", "\n", "\n---\n", "\n...\n", "%YAML 9.9\n", "# x\n",
    "\"../../../etc/passwd\"", "/dev/null", "\"/\"", "\".\"", "=", "==", ".", "..", ":", ": ", ",", "\"", "'", "\\", "\r\n",
    String(repeating: "9", count: 400), "\"" + String(repeating: "x", count: 5000) + "\"", "0." + String(repeating: "3", count: 400),
    "\"" + String(repeating: "名", count: 300) + "\"",
  ]

  private static func isValue(_ token: [UInt8]) -> Bool {
    token.first.map { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") || isWord($0) } ?? false
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"), 0x80...: true
    default: false
    }
  }

  /// Words and numbers, texts in quotes, runs of spaces, and every other sign by itself. They add up to the text.
  static func tokens(of text: [UInt8]) -> [[UInt8]] {
    var tokens: [[UInt8]] = []
    var position = 0
    while position < text.count {
      let first = text[position]
      var end = position + 1
      if isWord(first) {
        while end < text.count, isWord(text[end]) { end += 1 }
      } else if first == UInt8(ascii: " ") {
        while end < text.count, text[end] == first { end += 1 }
      } else if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
        while end < text.count, text[end] != first, text[end] != UInt8(ascii: "\n") { end += text[end] == UInt8(ascii: "\\") ? 2 : 1 }
        end = min(end + 1, text.count)
      }
      tokens.append(Array(text[position..<end]))
      position = end
    }
    return tokens
  }

  /// The words of texts that are sound: keys, names, values.
  static func words(of texts: [[UInt8]]) -> [String] {
    Set(texts.flatMap(tokens).filter(isValue).map { String(decoding: $0, as: UTF8.self) }).sorted()
  }
}
