import Foundation
import HDF5
import TestSupport
import Testing

/// Damaged files give errors or other values, never a crash.
@Suite struct Damage {
  let directory = try! TemporaryDirectory()

  private func sample() throws -> Data {
    let path = directory.file("sample.h5")
    try HDF5File.writeAtomically(to: path) { file in
      let root = try file.root
      try root.setAttribute("names", .strings(["a", "b"]))
      try root.setAttribute("long", .string(String(repeating: "x", count: 70_000)))
      for index in 0..<12 {
        try root.createDataset(
          "layer\(index)/kernel", shape: [16, 16], values: (0..<256).map(Float.init), storage: .checked(deflate: 4))
      }
    }
    return try bytes(of: path)
  }

  @Test func missingAndForeignFiles() throws {
    func reason(_ name: String) throws -> HDF5Error.Reason {
      try thrown(HDF5Error.self) { _ = try HDF5File(reading: directory.file(name)) }.reason
    }
    #expect(try reason("absent.h5") == .missingFile("No such file or directory"))
    #expect(try reason("") == .missingFile("is a folder, not an ordinary file"))
    try write(Data(), to: directory.file("empty.h5"))
    #expect(try reason("empty.h5") == .notHDF5)
    try write(Data("%PDF-1.4 and so on".utf8), to: directory.file("other.h5"))
    #expect(try reason("other.h5") == .notHDF5)
    try write(Data([0x89]) + Data("HDF\r\n\u{1a}\n".utf8), to: directory.file("signature.h5"))
    guard case .library = try reason("signature.h5") else {
      Issue.record("a bare signature was opened")
      return
    }
  }

  @Test(.timeLimit(.minutes(1))) func whatIsNoOrdinaryFileIsRefusedAtOnce() throws {
    let pipe = directory.file("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    for (path, what) in [(pipe, "a FIFO"), (directory.path, "a folder"), ("/dev/zero", "a device")] {
      let error = try thrown(HDF5Error.self) { _ = try HDF5File(reading: path) }
      #expect("\(error)" == "\(path): is \(what), not an ordinary file")
    }
  }

  /// hang.h5 is h5py.h5 with two bytes changed, on which libhdf5 1.10.8 loops.
  @Test func whatLibhdf5HangsOnHidesNothingElse() throws {
    let root = try HDF5File(reading: goldenPath("hang")).root
    let whole = try HDF5File(reading: goldenPath("h5py")).root
    #expect(try root.attributeNames == whole.attributeNames)
    #expect(try root.names == whole.names)
    #expect(try root.integer("number") == 7)
    #expect(try root.dataset("packed").read(as: Float.self) == (0..<600).map(Float.init))
    let error = try thrown(HDF5Error.self) { _ = try root.strings("names") }
    #expect("\(error)".contains("hang.h5: /, attribute \"names\": HDF5: "), "\(error)")
  }

  /// crash.h5 is h5py.h5 with a byte changed, on which libhdf5 1.10.8 reads out of bounds. What lies there decides whether it
  /// crashes at once or at later objects.
  @Test func whatLibhdf5CrashesOnDoesNotHideAllElse() throws {
    let root = try HDF5File(reading: goldenPath("crash")).root
    #expect(try root.names == HDF5File(reading: goldenPath("h5py")).root.names)
    var (read, refused) = (0, 0)
    try root.walk { if case .refused = $0 { refused += 1 } else { read += 1 } }
    #expect(read > 0, "\(refused) refused")
  }

  @Test func oneDamagedByteHidesLittle() throws {
    func count(_ path: String) throws -> Int {
      var count = 0
      try HDF5File(reading: path).root.walk { if case .refused = $0 {} else { count += 1 } }
      return count
    }
    let original = try golden("h5py")
    let whole = try count(goldenPath("h5py"))
    let path = directory.file("damaged.h5")
    var generator = SplitMix(state: 3)
    var left: [Int] = []
    for _ in 0..<200 {
      var damaged = original
      damaged[Int.random(in: 0..<damaged.count, using: &generator)] ^= 0xff
      try write(damaged, to: path)
      left.append((try? count(path)) ?? 0)
    }
    #expect(left.count { $0 >= whole - 1 } > 170)
  }

  @Test func truncationIsNoticedEverywhere() throws {
    for original in [try sample(), try golden("h5py"), try golden("latest")] {
      for percent in 0..<100 {
        let path = directory.file("truncated.h5")
        try write(original.prefix(original.count * percent / 100), to: path)
        let error = try? thrown(HDF5Error.self) { try readAll(path) }
        #expect(error?.file == path)
      }
    }
  }

  /// Metadata of the newer format and our chunks carry checksums: what stays unnoticed is unused or lies in text beyond
  /// 64 KiB, which HDF5 stores without one.
  @Test func flippedBitsInMetadataAndValuesAreNoticed() throws {
    let path = directory.file("flipped.h5")
    try HDF5File.writeAtomically(to: path) { file in
      for index in 0..<12 {
        let values = (0..<256).map { Float($0 * index) }
        try file.root.createDataset("layer\(index)/kernel", shape: [16, 16], values: values, storage: .checked())
      }
    }
    let original = try bytes(of: path)
    var generator = SplitMix(state: 1)
    var unnoticed = 0
    for _ in 0..<400 {
      var damaged = original
      damaged[Int.random(in: 0..<damaged.count, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      try write(damaged, to: path)
      do {
        try readAll(path)
        unnoticed += 1
      } catch is HDF5Error {}
    }
    #expect(unnoticed < 40, "12 x 1 KiB of values and their metadata leave little unused")
  }
}

/// Steele, Lea and Flood 2014: the same damage in every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// Reads all there is.
func readAll(_ path: String, limits: HDF5Limits = HDF5Limits()) throws {
  let file = try HDF5File(reading: path, limits: limits)
  let root = try file.root
  for name in try root.attributeNames { _ = try root.attribute(name) }
  try root.walk { node in
    if case .refused(_, let error) = node, case .library = error.reason { throw error }
    guard case .dataset(let dataset) = node, dataset.type.isNumber else { return }
    for name in try dataset.attributeNames { _ = try dataset.attribute(name) }
    do { _ = try dataset.read(as: Float.self) } catch let error as HDF5Error {
      switch error.reason {
      case .refused, .tooLarge: break
      default: throw error
      }
    }
  }
}
