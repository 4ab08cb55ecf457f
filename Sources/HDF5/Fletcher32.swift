/// Fletcher's checksum of 16-bit big-endian words, sums modulo 65535, an odd last byte as a word's upper half: what
/// HDF5's filter "fletcher32" stores behind each chunk.
enum Fletcher32 {
  private static let lanes = 16
  /// Rows of 16 words after which the sums are reduced: 32-bit lanes hold 65535·n·(n + 1)/2.
  private static let rows = 256

  static func checksum(_ data: UnsafeRawBufferPointer) -> UInt32 {
    var sum1: UInt64 = 0, sum2: UInt64 = 0
    var isZero = true
    var offset = 0
    let rowBytes = 2 * lanes
    while data.count - offset >= rowBytes {
      let count = min(rows, (data.count - offset) / rowBytes)
      // Of each lane: its words' sum, and the sum of that sum after every row.
      var words = SIMD16<UInt32>(repeating: 0), sums = SIMD16<UInt32>(repeating: 0)
      for row in 0..<count {
        let raw = data.loadUnaligned(fromByteOffset: offset + row * rowBytes, as: SIMD16<UInt16>.self)
        words &+= SIMD16<UInt32>(truncatingIfNeeded: (raw &<< 8) | (raw &>> 8))
        sums &+= words
      }
      // The word at position i of n is added n - i times to the second sum, to which the first adds n times what it was.
      var total: UInt64 = 0, ranks: UInt64 = 0, rowSums: UInt64 = 0
      for lane in 0..<lanes {
        total += UInt64(words[lane])
        ranks += UInt64(lane) * UInt64(words[lane])
        rowSums += UInt64(sums[lane])
      }
      sum2 = (sum2 + UInt64(count * lanes) * sum1 + UInt64(lanes) * rowSums - ranks) % 65535
      sum1 = (sum1 + total) % 65535
      isZero = isZero && total == 0
      offset += count * rowBytes
    }
    while offset < data.count {
      let low = offset + 1 < data.count ? UInt64(data[offset + 1]) : 0
      let word = UInt64(data[offset]) << 8 | low
      sum1 = (sum1 + word) % 65535
      isZero = isZero && word == 0
      sum2 = (sum2 + sum1) % 65535
      offset += 2
    }
    // HDF5 folds the sums instead, which leaves 65535 where the remainder is 0.
    if isZero { return 0 }
    return UInt32((sum2 == 0 ? 65535 : sum2) << 16 | (sum1 == 0 ? 65535 : sum1))
  }

  /// Files of HDF5 before 1.6.3 have the bytes of both halves exchanged.
  static func isValid(_ stored: UInt32, for data: UnsafeRawBufferPointer) -> Bool {
    let sum = checksum(data)
    let exchanged = (sum & 0x00ff_00ff) << 8 | (sum & 0xff00_ff00) >> 8
    return stored == sum || stored == exchanged
  }
}
