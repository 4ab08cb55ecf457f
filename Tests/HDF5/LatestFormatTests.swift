import HDF5
import Testing

/// Files made by h5py: Goldens/make_latest.py.
@Suite struct LatestFormat {
  let root: HDF5Group
  let values = (0..<24).map(Float.init)

  init() throws { root = try HDF5File(reading: goldenPath("latest")).root }

  @Test(arguments: ["contiguous", "single", "fixed", "extensible", "tree", "implicit"])
  func everyChunkIndexIsRead(name: String) throws {
    #expect(try root.dataset(name).read(as: Float.self) == values)
  }

  @Test(arguments: ["contiguous", "single", "fixed", "extensible", "tree"])
  func valuesBehindAUserBlockAreFound(name: String) throws {
    #expect(try HDF5File(reading: goldenPath("user_block")).root.dataset(name).read(as: Float.self) == values)
  }

  @Test func chunksOfFiveAxesAreCutAtTheEdges() throws {
    #expect(try root.dataset("five").read(as: Double.self) == (0..<72).map(Double.init))
    #expect(try root.dataset("five").read(as: Float.self) == (0..<72).map(Float.init))
  }

  @Test func whatWasNotWrittenIsTheFillValue() throws {
    #expect(
      try root.dataset("sparse").read(as: Int.self)
        == [-7, -7, -7, 1, 2, 3, -7, -7, -7, 4, 5, 6] + Array(repeating: -7, count: 12))
    #expect(try root.dataset("unwritten").read(as: Float.self) == [0, 0, 0, 0, 0])
  }

  @Test func bfloat16AndCompactStorage() throws {
    #expect(try root.dataset("bfloat16").type == .bfloat16(bigEndian: false))
    #expect(try root.dataset("bfloat16").read(as: Float.self) == [1, -2.5, .infinity])
    #expect(try root.dataset("compact").read(as: Double.self) == [0.1, -2])
  }

  @Test func manyLinksAndAttributes() throws {
    #expect(try root.group("many").names.count == 40)
    #expect(try root.group("many/group 39").attributeNames.isEmpty)
    #expect(try root.attributeNames.count == 42)
    #expect(try root.integer("attribute 31") == 31)
    #expect(try root.string("long").count == 70_000)
    #expect(try root.strings("texts") == ["", "é", "three"])
  }

  @Test func severalDatasetsAtOnce() throws {
    let datasets = try ["single", "tree", "fixed", "contiguous", "unwritten"].map { try root.dataset($0) }
    let read = try root.file.read(datasets, as: Float.self)
    #expect(read == Array(repeating: values, count: 4) + [[0, 0, 0, 0, 0]])
  }
}
