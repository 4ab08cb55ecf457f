import HDF5
import TestSupport
import Testing

/// A file made by h5py: Goldens/make_h5py.py.
@Suite struct Interoperability {
  let root: HDF5Group

  init() throws { root = try HDF5File(reading: Self.path).root }

  static let path = goldenPath("h5py")

  @Test(arguments: ["f16", "f16be", "f32", "f32be", "f64", "f64be"])
  func everyFloatBecomesAFloat(name: String) throws {
    let dataset = try root.dataset("floats/\(name)")
    #expect(dataset.shape == [2, 3])
    #expect(try dataset.read(as: Float.self) == [0, -1.5, 0x1p-24, 65504, .infinity, 0.333251953125])
  }

  @Test(arguments: ["i8", "u8", "i16be", "i32", "u64"])
  func everyIntegerBecomesANumber(name: String) throws {
    #expect(try root.dataset("integers/\(name)").read(as: Float.self) == [0, 1, 2, 3, 4])
    #expect(try root.dataset("integers/\(name)").read(as: Int.self) == [0, 1, 2, 3, 4])
  }

  @Test func attributesOfEveryKind() throws {
    #expect(try root.string("title") == "variable text é")
    #expect(try root.string("fixed") == "fixed")
    #expect(try root.strings("names") == ["one", "zwei", "trois"])
    #expect(try root.strings("fixed_names") == ["a", "bcd"])
    #expect(try root.integer("number") == 7)
    #expect(try root.integers("numbers") == [1, 2, 3])
    #expect(try root.attribute("ratio") == .float(0.25))
    #expect(try root.attribute("nothing") == .other(.other("nothing")))
    #expect(try root.attribute("flag") == .other(.other("enumeration")))
  }

  @Test func chunksFiltersScalarsAndEmptiness() throws {
    let packed = try root.dataset("packed")
    #expect(packed.storage.chunk == [7, 30])
    #expect(packed.storage.filters == [.shuffle, .deflate, .fletcher32])
    #expect(try packed.read(as: Float.self) == (0..<600).map(Float.init))
    #expect(try root.dataset("scalar").read(as: Float.self) == [3.5])
    #expect(try root.dataset("empty").read(as: Float.self) == [])
    #expect(try root.dataset("soft").read(as: Double.self).count == 6)
  }

  @Test(arguments: ["external", "outside", "virtual"])
  func nothingOutsideTheFileIsTouched(name: String) throws {
    let error = try thrown(HDF5Error.self) { _ = try root.dataset(name) }
    guard case .refused = error.reason else {
      Issue.record("\(error)")
      return
    }
  }

  @Test func unknownFiltersAndHollowSizesAreRefused() throws {
    let filter = try thrown(HDF5Error.self) { _ = try root.dataset("lzf").read(as: Float.self) }
    #expect("\(filter)".hasSuffix("/lzf: refused: filter 32000, which is not deflate, shuffle or fletcher32"))
    let hollow = try thrown(HDF5Error.self) { _ = try root.dataset("huge").read(as: Float.self) }
    guard case .tooLarge = hollow.reason else {
      Issue.record("\(hollow)")
      return
    }
  }

  @Test func errorsSayWhereAndWhatThereIs() throws {
    func message(_ body: () throws -> Void) throws -> String {
      "\(try thrown(HDF5Error.self, by: body))".replacing(Self.path, with: "F")
    }
    #expect(
      try message { _ = try root.dataset("floats/f61") }
        == #"F: /floats: no "f61" here; did you mean "f64"? (there: "f16", "f16be", "f32", "f32be", "f64", "f64be", "up")"#)
    #expect(
      try message { _ = try root.dataset("integers") } == "F: /integers: expected a dataset, found a group")
    #expect(
      try message { _ = try root.group("scalar") } == "F: /scalar: expected a group, found a dataset")
    #expect(
      try message { _ = try root.dataset("packed").read(as: Float.self, rank: 1) }
        == "F: /packed: expected rank 1, found shape [20, 30]")
    #expect(
      try message { _ = try root.dataset("floats/f64").read(as: Int.self) }
        == "F: /floats/f64: expected whole numbers, found float64")
    #expect(
      try message { _ = try root.dataset("text").read(as: Float.self) } == "F: /text: expected numbers, found string")
    #expect(
      try message { _ = try root.integer("title") }
        == #"F: /, attribute "title": expected one whole number, found text"#)
    #expect(try message { _ = try root.integer("numbr") }.contains(#"did you mean "number"?"#))
  }

  @Test func aWalkEndsDespiteCycles() throws {
    var nodes: [String: HDF5Node] = [:]
    try root.walk { nodes[$0.path] = $0 }
    guard case .alias(_, of: "/")? = nodes["/floats/up"] else {
      Issue.record("the cycle was not seen")
      return
    }
    guard case .refused? = nodes["/external"], case .softLink? = nodes["/soft"] else {
      Issue.record("links were followed")
      return
    }
  }
}
