import CHDF5Catalogue
import Glibc

/// Has a file described by processes of their own, one after the other: what ends one is left out by the next, so that one
/// damaged object does not hide the others.
struct Description {
  let descriptor: Int32
  let size: Int
  let limits: HDF5Limits
  let path: String

  /// How many crashes and how many time-outs of libhdf5 a file may cost.
  private static let mostCrashes = 16, mostTimeouts = 4

  private struct Outcome {
    var header: CHDF5CatalogueHeader
    /// That ended the process, else 0.
    var signal: Int32
  }

  /// - Throws: `HDF5Error`.
  func catalogue() throws -> Catalogue {
    let capacity = (1 << 24) + min(4 * min(size, 1 << 40), 1 << 30)
    let anonymous = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE
    guard let shared = mmap(nil, capacity, PROT_READ | PROT_WRITE, anonymous, -1, 0), shared != MAP_FAILED else {
      throw Place(file: path).error(.system("cannot map memory: \(systemMessage())"))
    }
    defer { munmap(shared, capacity) }
    var skipped: [CHDF5CatalogueSkip] = []
    while true {
      let outcome = try describe(skipping: skipped, into: shared, capacity)
      if isWorthAnother(outcome, after: skipped) {
        skipped.append(CHDF5CatalogueSkip(step: outcome.header.step, signal: outcome.signal))
      } else {
        return try parse(shared, capacity, outcome)
      }
    }
  }

  private func isWorthAnother(_ outcome: Outcome, after skipped: [CHDF5CatalogueSkip]) -> Bool {
    // The first step is to open the file.
    guard outcome.header.finished == 0, outcome.header.overflowed == 0, outcome.header.step > 1 else { return false }
    switch outcome.signal {
    case 0, SIGKILL, SIGXCPU, SIGALRM: return false
    case SIGPROF: return skipped.count { $0.signal == SIGPROF } < Self.mostTimeouts
    default: return skipped.count < Self.mostCrashes
    }
  }

  private func describe(
    skipping skipped: [CHDF5CatalogueSkip], into shared: UnsafeMutableRawPointer, _ capacity: Int
  ) throws -> Outcome {
    let seconds = limits.describingSeconds + min(size >> 26, 600)
    let process = skipped.withUnsafeBufferPointer { skipped in
      var allowed = CHDF5CatalogueLimits(
        file_bytes: UInt64(size), attribute_bytes: UInt64(limits.attributeBytes),
        variable_strings: UInt64(limits.variableStrings), group_depth: UInt64(limits.depth),
        memory_bytes: UInt64(limits.describingBytes), step_seconds: UInt32(seconds), cpu_seconds: UInt32(30 + 12 * seconds),
        wall_seconds: UInt32(120 + 24 * seconds), skipped_count: UInt32(skipped.count), skipped: skipped.baseAddress)
      return Library.locked { CHDF5CatalogueStart(descriptor, &allowed, shared, UInt64(capacity)) }
    }
    guard process > 0 else { throw Place(file: path).error(.system("cannot fork: \(systemMessage())")) }
    let signal = CHDF5CatalogueWait(process)
    return Outcome(header: shared.load(as: CHDF5CatalogueHeader.self), signal: signal)
  }

  private func parse(_ shared: UnsafeMutableRawPointer, _ capacity: Int, _ outcome: Outcome) throws -> Catalogue {
    let headerBytes = MemoryLayout<CHDF5CatalogueHeader>.size
    let used = Int(min(outcome.header.used, UInt64(capacity - headerBytes)))
    do {
      return try CatalogueParser.parse(UnsafeRawBufferPointer(start: shared + headerBytes, count: used), limits: limits)
    } catch let failure as CatalogueParser.Failure {
      let end = Place(file: path, object: failure.object, attribute: failure.attribute)
      if let reason = failure.reason { throw Place(file: path).error(reason) }
      if outcome.header.overflowed != 0 {
        throw end.error(.tooLarge("more metadata than a file of \(size) bytes can hold"))
      }
      throw end.error(.ended(signal: outcome.signal))
    }
  }
}

extension HDF5Error.Reason {
  /// What it means that a signal ended the process that described something, or with 0 that it gave up.
  static func ended(signal: Int32) -> HDF5Error.Reason {
    switch signal {
    case 0: .library("damaged: libhdf5 fails on it")
    case SIGPROF: .library("given up: describing it takes more than the limit of processor time")
    case SIGXCPU, SIGALRM, SIGKILL: .library("given up: describing the file takes more than the limits of time")
    default: .library("damaged: libhdf5 fails on it (signal \(signal))")
    }
  }
}
