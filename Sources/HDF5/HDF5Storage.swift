import CHDF5

/// How a dataset's values lie in the file.
public struct HDF5Storage: Hashable, Sendable {
  public enum Filter: Hashable, Sendable, CustomStringConvertible {
    case deflate, shuffle, fletcher32
    /// A filter that is not applied: datasets with it are listed but not read.
    case unknown(Int)

    init(_ identifier: Int) {
      switch identifier {
      case Int(H5Z_FILTER_DEFLATE): self = .deflate
      case Int(H5Z_FILTER_SHUFFLE): self = .shuffle
      case Int(H5Z_FILTER_FLETCHER32): self = .fletcher32
      default: self = .unknown(identifier)
      }
    }

    public var description: String {
      switch self {
      case .deflate: "deflate"
      case .shuffle: "shuffle"
      case .fletcher32: "fletcher32"
      case .unknown(let identifier): "filter \(identifier)"
      }
    }
  }

  /// The extents of the pieces that are stored apart, or nil for one run of values.
  public var chunk: [Int]?
  /// What is applied to each chunk on writing, in order.
  public var filters: [Filter]

  /// How a new dataset is to be stored.
  public enum Choice: Hashable, Sendable {
    case contiguous
    /// Chunks of about a mebibyte with checksums; compressed if `deflate` gives a level, 1 (fast) to 9 (small).
    case checked(deflate: Int? = nil)
  }

  init(_ layout: Catalogue.Description.Layout) {
    switch layout {
    case .chunked(let table):
      chunk = table.extents
      filters = table.filters.map(Filter.init)
    case .compact, .contiguous:
      chunk = nil
      filters = []
    }
  }

  /// Sets a new dataset's creation properties. Call with the lock held.
  static func apply(_ choice: Choice, shape: [Int], elementBytes: Int, to properties: hid_t, _ place: Place) throws {
    // Neither a scalar nor an empty dataset has chunks.
    guard case .checked(let deflate) = choice, !shape.isEmpty, !shape.contains(0) else { return }
    let chunk = chunk(for: shape, elements: (1 << 20) / elementBytes)
    try place.check(H5Pset_chunk(properties, Int32(chunk.count), chunk.map { hsize_t($0) }))
    if let level = deflate {
      guard (1...9).contains(level) else { throw place.error(.invalid("deflate level \(level): from 1 to 9")) }
      try place.check(H5Pset_shuffle(properties))
      try place.check(H5Pset_deflate(properties, UInt32(level)))
    }
    try place.check(H5Pset_fletcher32(properties))
  }

  /// The whole innermost extents as far as `elements` go, so that a chunk is one run of values; an axis that does not go
  /// whole is cut in equal parts, as the last chunk takes as much of the file as the others.
  static func chunk(for shape: [Int], elements: Int) -> [Int] {
    var left = max(1, elements)
    var chunk = shape
    for axis in shape.indices.reversed() {
      let parts = (shape[axis] - 1) / left + 1
      chunk[axis] = (shape[axis] - 1) / parts + 1
      left = max(1, left / shape[axis])
    }
    return chunk
  }
}
