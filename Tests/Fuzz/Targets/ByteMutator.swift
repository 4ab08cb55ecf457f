import DetectionCore

/// Damages bytes of no known structure.
public struct ByteMutator: Sendable {
  private let body: @Sendable ([UInt8], inout SeededGenerator) -> [UInt8]

  public init(_ body: @escaping @Sendable ([UInt8], inout SeededGenerator) -> [UInt8]) { self.body = body }

  public func callAsFunction(_ input: some Collection<UInt8>, _ random: inout SeededGenerator) -> [UInt8] {
    body(Array(input), &random)
  }

  /// One to four changes: bits, bytes, numbers at the limits, stretches that are copied, put in, taken out or cut off.
  public static let plain = ByteMutator { input, random in
    var bytes = input.isEmpty ? [0] : input
    for _ in 0...random.index(below: 4) {
      // Formats keep what steers a reader at the beginning more often than not.
      let position = random.index(below: random.index(below: 2) == 0 ? bytes.count : min(256, bytes.count))
      switch random.index(below: 9) {
      case 0, 1: bytes[position] ^= 1 << UInt8(random.index(below: 8))
      case 2: bytes[position] = UInt8(random.index(below: 256))
      case 3:
        let width = [1, 2, 4, 8][random.index(below: 4)]
        let values: [UInt64] = [0, 1, .max, 1 << 60, 1 << 31, 0x7FFF_FFFF, 0xFFFF_FFF0, 0xFFFF, UInt64(bytes.count)]
        let value = values[random.index(below: values.count)]
        let isBigEndian = random.index(below: 2) == 0
        for byte in 0..<min(width, bytes.count - position) {
          bytes[position + byte] = UInt8(truncatingIfNeeded: value >> (8 * (isBigEndian ? width - 1 - byte : byte)))
        }
      case 4, 5:
        let length = 1 + random.index(below: min(64, bytes.count))
        let source = random.index(below: bytes.count - length + 1)
        let end = random.index(below: 2) == 0 ? position : min(position + length, bytes.count)
        bytes.replaceSubrange(position..<end, with: Array(bytes[source..<source + length]))
      case 6: bytes.insert(contentsOf: (0..<random.index(below: 16)).map { _ in UInt8(random.index(below: 256)) }, at: position)
      case 7: bytes.removeSubrange(position..<min(bytes.count, position + 1 + random.index(below: 16)))
      default: if random.index(below: 8) == 0 { bytes.removeSubrange(position...) }
      }
      if bytes.isEmpty { bytes = [0] }
    }
    return bytes
  }
}

extension SeededGenerator {
  mutating func pick<Element>(_ choices: [Element]) -> Element { choices[index(below: choices.count)] }
  mutating func chance(_ one: Int, in count: Int) -> Bool { index(below: count) < one }
}
