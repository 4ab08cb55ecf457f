import DetectionCore

/// Random numbers for tests, the same in every run.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func float(_ range: ClosedRange<Float>) -> Float { Float.random(in: range, using: &self) }

  /// Whole coordinates, at least one pixel wide and high.
  mutating func box(in size: Int) -> Box {
    let x = Int.random(in: 0..<(size - 1), using: &self), y = Int.random(in: 0..<(size - 1), using: &self)
    let width = Int.random(in: 1...(size - x), using: &self), height = Int.random(in: 1...(size - y), using: &self)
    return Box(x: Float(x), y: Float(y), width: Float(width), height: Float(height))
  }
}
