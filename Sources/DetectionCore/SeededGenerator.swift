/// Random numbers from a counter: the same seed and stream give the same sequence on every machine, and other streams of
/// the same seed are independent of it. `SeededGenerator(seed: seed, epoch, index)` thus needs no state to be saved.
///
/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014), keyed by seed and stream.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var counter: UInt64

  public init(seed: UInt64, _ stream: UInt64...) {
    // The key is mixed once more than a part of the stream: seed 1, stream 2 is not seed 2, stream 1.
    counter = stream.reduce(Self.mix(seed &+ Self.increment)) { key, part in
      Self.mix(Self.mix(key &+ Self.increment) &+ Self.mix(part &+ Self.increment))
    }
  }

  public mutating func next() -> UInt64 {
    counter &+= Self.increment
    return Self.mix(counter)
  }

  /// Uniform in `0 ..< 1`, with 24 random bits.
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Uniform in `0 ..< count`.
  public mutating func index(below count: Int) -> Int {
    // The bias of the product's high word is below count / 2^64.
    Int(next().multipliedFullWidth(by: UInt64(count)).high)
  }

  /// `0 ..< count` in random order (Fisher-Yates). The standard library's `shuffled(using:)` may change between Swift
  /// versions; this may not, or a resumed run would see other batches.
  public mutating func permutation(of count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, index(below: last + 1))
    }
    return order
  }

  private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
