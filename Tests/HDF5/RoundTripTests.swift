import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct RoundTrip {
  let directory = try! TemporaryDirectory()

  private func writeSample(to path: String, _ storage: HDF5Storage.Choice) throws {
    try HDF5File.writeAtomically(to: path) { file in
      let root = try file.root
      try root.setAttribute("text", .string("größer\nthan one line"))
      try root.setAttribute("empty", .string(""))
      try root.setAttribute("none", .strings([]))
      try root.setAttribute("names", .strings(["a", "", "déjà"]))
      try root.setAttribute("long", .string(String(repeating: "0123456789", count: 20_000)))
      try root.setAttribute("count", .integer(.min))
      try root.setAttribute("ratios", .floats([0.1, .infinity]))
      try root.createDataset("a/b/kernel", shape: [3, 50, 7], values: (0..<1050).map(Float.init), storage: storage)
      try root.createDataset("a/b/big", shape: [300, 1000], values: (0..<300_000).map(Float.init), storage: storage)
      try root.createDataset("a/scalar", shape: [], values: [Float(2.5)], storage: storage)
      try root.createDataset("empty", shape: [0, 4], values: [Float](), storage: storage)
      try root.createDataset("exact", shape: [2], values: [0.1, 1e300], storage: storage)
      try root.createDataset("whole", shape: [2], values: [Int.max, -1], storage: storage)
      for index in 0..<20 { try root.createGroup("many/group \(index)").setAttribute("i", .integer(index)) }
    }
  }

  @Test(arguments: [HDF5Storage.Choice.contiguous, .checked(), .checked(deflate: 6)])
  func whatIsWrittenIsRead(storage: HDF5Storage.Choice) throws {
    let path = directory.file("x.h5")
    try writeSample(to: path, storage)
    let root = try HDF5File(reading: path).root
    #expect(try root.string("text") == "größer\nthan one line")
    #expect(try root.string("empty") == "")
    #expect(try root.strings("none") == [])
    #expect(try root.strings("names") == ["a", "", "déjà"])
    #expect(try root.string("long").count == 200_000)
    #expect(try root.integer("count") == .min)
    #expect(try root.attribute("ratios") == .floats([0.1, .infinity]))
    let kernel = try root.dataset("a/b/kernel")
    #expect(kernel.path == "/a/b/kernel")
    #expect(kernel.shape == [3, 50, 7])
    #expect(kernel.type == .float(bytes: 4, bigEndian: false))
    #expect(try kernel.read(as: Float.self) == (0..<1050).map(Float.init))
    #expect(try root.group("a").group("b").dataset("big").read(as: Float.self) == (0..<300_000).map(Float.init))
    #expect(try root.dataset("/a/scalar").read(as: Float.self, rank: 0) == [2.5])
    #expect(try root.dataset("empty").read(as: Float.self) == [])
    #expect(try root.dataset("empty").shape == [0, 4])
    #expect(try root.dataset("exact").read(as: Double.self) == [0.1, 1e300])
    #expect(try root.dataset("whole").read(as: Int.self) == [.max, -1])
    #expect(try root.names == ["a", "empty", "exact", "many", "whole"])
    #expect(try root.group("many").names.count == 20)
    #expect(try root.group("many/group 13").integer("i") == 13)
    #expect(try root.contains("a/b/kernel") && !root.contains("a/c"))
  }

  @Test func equalContentsGiveEqualBytes() throws {
    for storage in [HDF5Storage.Choice.contiguous, .checked(), .checked(deflate: 6)] {
      try writeSample(to: directory.file("1.h5"), storage)
      Thread.sleep(forTimeInterval: 1.1)
      try writeSample(to: directory.file("2.h5"), storage)
      #expect(try bytes(of: directory.file("1.h5")) == bytes(of: directory.file("2.h5")))
    }
  }

  @Test func compressionAndChunksAreReported() throws {
    let path = directory.file("x.h5")
    try writeSample(to: path, .checked(deflate: 6))
    let big = try HDF5File(reading: path).root.dataset("a/b/big")
    #expect(big.storage.filters == [.shuffle, .deflate, .fletcher32])
    #expect(big.storage.chunk == [150, 1000])
    #expect(big.storedBytes < 300_000)
  }

  @Test func threadsMayShareTheLibrary() async throws {
    let path = directory.file("x.h5")
    try writeSample(to: path, .checked())
    let expected = (0..<1050).map(Float.init)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<16 {
        group.addTask {
          (0..<20).allSatisfy { _ in
            (try? HDF5File(reading: path).root.dataset("a/b/kernel").read()) == expected
          }
        }
      }
      for await same in group { #expect(same) }
    }
  }

  @Test func aWalkMeetsEverythingOnce() throws {
    let path = directory.file("x.h5")
    try writeSample(to: path, .contiguous)
    var datasets: [String] = []
    var groups = 0
    try HDF5File(reading: path).root.walk { node in
      if case .dataset(let dataset) = node { datasets.append(dataset.path) }
      if case .group = node { groups += 1 }
    }
    #expect(datasets == ["/a/b/big", "/a/b/kernel", "/a/scalar", "/empty", "/exact", "/whole"])
    #expect(groups == 23)
  }

  @Test func groupsDeeperThanTheLimitAreRefused() throws {
    let path = directory.file("deep.h5")
    try HDF5File.writeAtomically(to: path) {
      _ = try $0.root.createGroup(Array(repeating: "g", count: 80).joined(separator: "/"))
    }
    let root = try HDF5File(reading: path).root
    #expect(throws: HDF5Error.self) { try root.walk { _ in } }
  }
}
