/// Numbers that look random and that `scripts/benchmarks/work.py` makes too.
enum Noise {
  /// - Parameter factor: a large odd number; another one gives another sequence.
  /// - Returns: 0..<1.
  static func uniform(_ i: Int, _ factor: UInt32) -> Double {
    Double(UInt32(truncatingIfNeeded: i + 1) &* factor) / 4_294_967_296
  }
}
