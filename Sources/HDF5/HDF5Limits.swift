/// What a file may claim before it is believed: sizes are checked before memory is taken.
public struct HDF5Limits: Hashable, Sendable {
  /// The largest dataset read, in bytes.
  public var datasetBytes = 4 << 30
  /// The largest attribute read, in bytes.
  public var attributeBytes = 64 << 20
  /// The most strings of variable length in one attribute.
  public var variableStrings = 16_384
  /// The deepest nesting of groups.
  public var depth = 64
  /// How much of a dataset need not be stored (never written, so that it reads as its fill value), in bytes.
  public var unstoredBytes = 1 << 20

  public init() {}

  /// DEFLATE cannot shrink data by more than this.
  static let deflateRatio = 1032
}

/// `shape`'s product, or nil when it does not fit.
func elementCount(_ shape: [Int]) -> Int? {
  if shape.contains(0) { return 0 }
  var count = 1
  for extent in shape {
    let (product, overflow) = count.multipliedReportingOverflow(by: extent)
    guard extent > 0, !overflow else { return nil }
    count = product
  }
  return count
}
