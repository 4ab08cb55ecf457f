import Foundation
import HDF5
import TestSupport
import Testing

/// Files with damage of every sort: errors or other values, no crash, little memory. `HDF5_MUTATIONS` sets how many
/// (`make fuzz-hdf5`).
@Suite struct Mutation {
  let directory = try! TemporaryDirectory()

  @Test func damagedFilesGiveErrorsInBoundedMemory() throws {
    let count = Int(ProcessInfo.processInfo.environment["HDF5_MUTATIONS"] ?? "") ?? 1000
    let path = directory.file("own.h5")
    try HDF5File.writeAtomically(to: path) { file in
      try file.root.setAttribute("names", .strings(["a", "b"]))
      for index in 0..<6 {
        try file.root.createDataset(
          "layer\(index)/kernel", shape: [64, 8], values: (0..<512).map(Float.init), storage: .checked(deflate: 4))
      }
    }
    let originals = try [golden("h5py"), golden("latest"), golden("user_block"), bytes(of: path)]
    let mutated = directory.file("mutated.h5")
    let seed = UInt64(ProcessInfo.processInfo.environment["HDF5_MUTATION_SEED"] ?? "") ?? 7
    let before = try peakMemory()
    var tally = (passed: 0, refused: 0, crashed: 0, slow: 0)
    let time = try ContinuousClock().measure {
      for index in 0..<count {
        var generator = SplitMix(state: seed &+ UInt64(index))
        try write(mutate(originals[index % originals.count], &generator), to: mutated)
        do {
          try readAll(mutated)
          tally.passed += 1
        } catch let error as HDF5Error {
          switch "\(error)" {
          case let text where text.contains("(signal"): tally.crashed += 1
          case let text where text.contains("takes more than"): tally.slow += 1
          default: tally.refused += 1
          }
        }
      }
    }
    let grown = try peakMemory() - before
    print("\(count) mutations: \(tally.passed) read, \(tally.refused) refused, \(tally.crashed) crash libhdf5,",
      "\(tally.slow) keep it busy;",
      "\(time / count) each, memory grew by at most \(grown >> 20) MiB")
    #expect(tally.refused > count / 10)
    #expect(grown < 512 << 20)
  }

  private func mutate(_ original: Data, _ generator: inout SplitMix) -> Data {
    var data = original
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      // Most of a file is values: metadata lie at its beginning more often than not.
      let range = Bool.random(using: &generator) ? data.indices : 0..<min(4096, data.count)
      let position = Int.random(in: range, using: &generator)
      switch Int.random(in: 0..<6, using: &generator) {
      case 0, 1: data[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 2: data[position] = UInt8.random(in: 0...255, using: &generator)
      case 3:
        // Numbers at the limits.
        let width = [1, 2, 4, 8].randomElement(using: &generator) ?? 1
        let value: UInt64 = [0, .max, 1 << 60, 1 << 31, 0xffff_fff0, UInt64(data.count)].randomElement(using: &generator) ?? 0
        for byte in 0..<min(width, data.count - position) { data[position + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
      case 4:
        let length = min(Int.random(in: 1...64, using: &generator), data.count - position)
        let source = Int.random(in: 0...(data.count - length), using: &generator)
        data.replaceSubrange(position..<(position + length), with: data[source..<(source + length)])
      default:
        if Int.random(in: 0..<8, using: &generator) == 0 { data = data.prefix(max(1, position)) }
      }
    }
    return data
  }

  /// This process' largest memory so far, in bytes.
  private func peakMemory() throws -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss << 10
  }
}
