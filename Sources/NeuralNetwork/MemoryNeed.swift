/// How many bytes something wants, told before it takes them.
public struct MemoryNeed: Sendable {
  public var parts: [(what: String, byteCount: Int)]

  public init(_ parts: [(what: String, byteCount: Int)]) { self.parts = parts }

  /// What is more than can be counted counts as all that can.
  public var byteCount: Int {
    parts.reduce(0) { sum, part in
      let (total, overflow) = sum.addingReportingOverflow(part.byteCount)
      return overflow ? .max : total
    }
  }

  /// The part that wants most.
  public var largest: String? { parts.max { $0.byteCount < $1.byteCount }?.what }

  /// Little always does: the system may have it by the next moment.
  public func fits(_ available: Int?) -> Bool { byteCount <= max(64 << 20, available ?? .max) }

  /// - Parameters:
  ///   - subject: what wants the memory, as the sentence's subject.
  ///   - advice: what to change.
  ///   - available: in bytes; nil where it is not known, which refuses nothing.
  /// - Throws: `EngineError` where there is not so much memory.
  public func require(_ subject: String, advice: String? = nil, available: Int? = AvailableMemory.byteCount) throws {
    guard let available, !fits(available) else { return }
    let list = parts.filter { $0.byteCount > 0 }.map { "\($0.what) \(Self.text($0.byteCount))" }.joined(separator: ", ")
    throw EngineError(
      "\(subject) needs \(Self.text(byteCount)) of memory (\(list)), this process can have \(Self.text(max(0, available)))\(advice.map { ": \($0)" } ?? "")")
  }

  /// "3.5 GiB".
  public static func text(_ byteCount: Int) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    var (value, unit) = (Double(byteCount), 0)
    while value >= 1024, unit + 1 < units.count { (value, unit) = (value / 1024, unit + 1) }
    let tenths = Int((value * 10).rounded())
    return unit == 0 ? "\(byteCount) bytes" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }

  /// Of factors that are not negative; the largest number where it is larger.
  public static func product(_ factors: some Sequence<Int>) -> Int {
    factors.reduce(1) { product, factor in
      let (result, overflow) = product.multipliedReportingOverflow(by: factor)
      return overflow ? .max : result
    }
  }

  /// Bytes of so many 32-bit floats.
  public static func floats(_ factors: Int...) -> Int { product(factors + [MemoryLayout<Float>.stride]) }
}
