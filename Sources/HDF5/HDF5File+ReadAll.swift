import Parallel

extension HDF5File {
  /// Reads several datasets, on all cores.
  /// - Returns: one list of values a dataset, as `HDF5Dataset.read` gives them.
  /// - Throws: `HDF5Error`, of the first dataset that cannot be read; `.tooLarge` where datasets together claim much
  ///   more than the file holds.
  public func read<Number: HDF5Number>(_ datasets: [HDF5Dataset], as number: Number.Type = Number.self) throws -> [[Number]] {
    let counts = try datasets.map { try $0.checkedCount(as: number) }
    try checkTotal(zip(datasets, counts).map { ($0, $1 * MemoryLayout<Number>.stride) })
    var results = [Result<[Number], any Error>](repeating: .success([]), count: datasets.count)
    let shares = Self.shares(of: counts, among: Parallel.threadCount)
    results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let results = results
      Parallel.forChunks(of: shares.count) { _, range in
        for index in range.flatMap({ shares[$0] }) { results[index] = Result { try datasets[index].read() } }
      }
    }
    return try results.map { try $0.get() }
  }

  /// Many small claims make a large one.
  private func checkTotal(_ claims: [(dataset: HDF5Dataset, bytes: Int)]) throws {
    var left = size.multipliedReportingOverflow(by: limits.expansion).partialValue + limits.spareBytes
    for claim in claims {
      left -= claim.bytes
      guard left >= 0 else {
        throw claim.dataset.place.error(
          .tooLarge("with it the datasets come to more than \(limits.expansion) times the file's \(size) bytes"))
      }
    }
  }

  /// Indexes in `parts` groups of about the same sum: the largest first, each to the group with the least so far.
  private static func shares(of sizes: [Int], among parts: Int) -> [[Int]] {
    var shares = [(sum: Int, indexes: [Int])](repeating: (0, []), count: max(1, min(parts, sizes.count)))
    for index in sizes.indices.sorted(by: { (sizes[$1], $0) < (sizes[$0], $1) }) {
      guard let least = shares.indices.min(by: { shares[$0].sum < shares[$1].sum }) else { break }
      shares[least].sum += sizes[index]
      shares[least].indexes.append(index)
    }
    return shares.map(\.indexes)
  }
}
