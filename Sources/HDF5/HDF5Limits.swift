/// What a file may claim before it is believed: sizes are checked before memory is taken.
public struct HDF5Limits: Hashable, Sendable {
  /// The largest dataset read, in bytes.
  public var datasetBytes = 4 << 30
  /// The largest attribute read, in bytes.
  public var attributeBytes = 16 << 20
  /// The most strings of variable length in one attribute.
  public var variableStrings = 65_536
  /// The deepest nesting of groups.
  public var depth = 64
  /// How much of a dataset need not be stored (never written, so that it reads as its fill value), in bytes.
  public var unstoredBytes = 64 << 20
  /// Datasets read together take at most this times what the file has, and `spareBytes` besides.
  public var expansion = 64
  public var spareBytes = 64 << 20
  /// The memory that libhdf5 may take to describe a file.
  public var describingBytes = 512 << 20
  /// The processor time that it may take for one object or attribute, which is a matter of microseconds; for each 64 MiB of
  /// the file a second is added.
  public var describingSeconds = 1

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
