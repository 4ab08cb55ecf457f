/// Choosing some of many candidates in time proportional to their number.
public enum Selection {
  /// The candidates with the largest values, found by histograms of the values' bits instead of a sort.
  /// - Parameter values: by candidate; ties go to whom comes first.
  /// - Returns: at most `count`, in the candidates' order.
  public static func largest(_ count: Int, of candidates: [Int], by values: [Float]) -> [Int] {
    guard count < candidates.count else { return candidates }
    guard count > 0 else { return [] }
    let keys = candidates.map { key(values[$0]) }
    // Digit by digit, the interval of keys that holds the last one to be chosen gets narrower.
    var (lowest, width) = (UInt32(0), 32)
    var left = count
    for digits in [11, 11, 10] {
      width -= digits
      var histogram = [Int](repeating: 0, count: 1 << digits)
      for key in keys where width + digits == 32 || (key ^ lowest) >> UInt32(width + digits) == 0 {
        histogram[Int(key >> UInt32(width)) & ((1 << digits) - 1)] += 1
      }
      var digit = histogram.count - 1
      while histogram[digit] < left {
        left -= histogram[digit]
        digit -= 1
      }
      lowest |= UInt32(digit) << UInt32(width)
    }
    // `left` of those with the very key `lowest` are in.
    var chosen: [Int] = []
    chosen.reserveCapacity(count)
    for (candidate, key) in zip(candidates, keys) {
      if key > lowest {
        chosen.append(candidate)
      } else if key == lowest, left > 0 {
        left -= 1
        chosen.append(candidate)
      }
    }
    return chosen
  }

  /// Candidates drawn without replacement, each set of `count` as likely as any other.
  /// - Returns: at most `count`, in no particular order.
  public static func random(
    _ count: Int, of candidates: [Int], using generator: inout SeededGenerator
  ) -> [Int] {
    guard count < candidates.count else { return candidates }
    var pool = candidates
    for i in 0..<max(0, count) { pool.swapAt(i, i + generator.index(below: pool.count - i)) }
    return Array(pool.prefix(max(0, count)))
  }

  /// Orders as the value does.
  private static func key(_ value: Float) -> UInt32 {
    let bits = value.bitPattern
    return bits >> 31 == 0 ? bits | 1 << 31 : ~bits
  }
}
