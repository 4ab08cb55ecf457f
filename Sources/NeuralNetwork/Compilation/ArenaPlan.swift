/// Places buffers of known lifetimes in one block of memory: those alive at the same time never overlap.
package enum ArenaPlan {
  package struct Request {
    package let byteCount: Int
    package let lifetime: ClosedRange<Int>

    package init(byteCount: Int, lifetime: ClosedRange<Int>) {
      self.byteCount = byteCount
      self.lifetime = lifetime
    }
  }

  /// Greedy by size (Pisarchyk and Lee 2020): the largest first, each at the lowest gap among those placed that live
  /// when it does. Offsets are multiples of 64 bytes.
  package static func offsets(of requests: [Request]) -> (offsets: [Int], byteCount: Int) {
    var offsets = Array(repeating: 0, count: requests.count)
    var placed: [(start: Int, end: Int, lifetime: ClosedRange<Int>)] = []  // sorted by start
    var total = 0
    let order = requests.indices.sorted {
      (requests[$1].byteCount, $0) < (requests[$0].byteCount, $1)
    }
    for index in order {
      let request = requests[index]
      let size = (request.byteCount + 63) / 64 * 64
      var best: (gap: Int, start: Int)?
      var cursor = 0
      for other in placed where other.lifetime.overlaps(request.lifetime) {
        let gap = other.start - cursor
        if gap >= size, gap < best?.gap ?? Int.max { best = (gap, cursor) }
        cursor = max(cursor, other.end)
      }
      let start = best?.start ?? cursor
      offsets[index] = start
      total = max(total, start + size)
      let position = placed.firstIndex { $0.start > start } ?? placed.endIndex
      placed.insert((start, start + size, request.lifetime), at: position)
    }
    return (offsets, total)
  }
}
