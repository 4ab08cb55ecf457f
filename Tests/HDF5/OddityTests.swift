import Foundation
import HDF5
import TestSupport
import Testing

/// What other programs store oddly (Goldens/make_oddities.py), with what h5py and ml_dtypes read of it.
@Suite struct Oddities {
  let root: HDF5Group

  init() throws { root = try HDF5File(reading: goldenPath("oddities")).root }

  private func datasets(_ group: String) throws -> [HDF5Dataset] {
    try root.group(group).names.map { try root.group(group).dataset($0) }
  }

  private func expected(_ dataset: HDF5Dataset) throws -> [Double]? {
    guard dataset.hasAttribute("expected"), case .floats(let values, _) = try dataset.attribute("expected") else { return nil }
    return values
  }

  @Test func whatWasNeverWrittenIsTheFillValueWhateverTheStorage() throws {
    let datasets = try datasets("fill")
    #expect(datasets.count == 83)
    for dataset in datasets {
      if let expected = try expected(dataset) {
        #expect(try dataset.read(as: Double.self) == expected, "\(dataset.path)")
      } else {
        let error = try thrown(HDF5Error.self) { _ = try dataset.read(as: Double.self) }
        #expect("\(error)".hasSuffix("\(dataset.path): HDF5: its values were never written, and it has no fill value"))
      }
    }
  }

  @Test func numbersOfTwoAndOneBytesAreReadHoweverTheyAreStored() throws {
    var read = 0
    for dataset in try datasets("types") {
      guard let expected = try expected(dataset) else { continue }
      let values = try dataset.read(as: Float.self)
      #expect(zip(values, expected).allSatisfy { $0 == Float($1) || $0.isNaN && $1.isNaN }, "\(dataset.path)")
      #expect(values.count == expected.count && dataset.type.isNumber)
      read += 1
    }
    #expect(read == 13)
  }

  @Test(arguments: [
    (1, "opaque values of 1 byte"), (2, "opaque values of 2 bytes, \"rgb565\""), (3, "opaque values of 3 bytes"),
    (4, "opaque values of 4 bytes, \"colour\""),
  ]) func opaqueValuesOfUnknownMeaningAreRefused(bytes: Int, what: String) throws {
    let error = try thrown(HDF5Error.self) { _ = try root.dataset("types/opaque \(bytes)").read(as: Float.self) }
    #expect("\(error)".hasSuffix("/types/opaque \(bytes): expected numbers, found \(what)"), "\(error)")
  }

  @Test func namesThatSwiftHoldsToBeEqualAreTwoNames() throws {
    let group = try root.group("names")
    let names = try group.names
    #expect(names.count == 18 && Set(names).count == 18)
    #expect(try Set(group.attributeNames) == Set(names).subtracting(["é group", "e\u{301} group"]))
    for name in names where !name.hasSuffix("group") {
      let dataset = try group.dataset(name)
      #expect(try dataset.read(as: Float.self, rank: 1) == [Float(group.integer(name))], "\(name)")
      // The very bytes lead there, too.
      let bytes = try dataset.integers("bytes").map { UInt8($0) }
      guard let exact = String(validating: bytes, as: UTF8.self) else { continue }
      #expect(try group.dataset(exact).identifier == dataset.identifier, "\(name)")
      #expect(try group.integer(exact) == group.integer(name))
      #expect(try root.dataset("/names/\(exact)").identifier == dataset.identifier)
    }
    #expect(names.filter { $0.contains("\\x") } == ["\\xFF", "caf\\xE9", "\\xFE", "\\xFF'"])
    #expect(names.contains("layers\\conv2d"))
    #expect(try group.group("e\u{301} group").names == ["\\xFFinner"])
    var paths: [String] = []
    try root.walk { if $0.pathNames.first == "names", $0.pathNames.count > 1 { paths.append($0.path) } }
    #expect(Set(paths).count == 19)
  }

  @Test func namedTypesReferencesAndCyclesHideNothing() throws {
    var nodes: [String: HDF5Node] = [:]
    try root.group("links").walk { nodes[$0.name] = $0 }
    #expect(try root.dataset("links/typed").read(as: Float.self) == [1, 2])
    #expect(try root.dataset("links/typed again").read(as: Float.self) == [1, 2])
    for name in ["type again", "typed again", "up"] {
      guard case .alias? = nodes[name] else {
        Issue.record("\(name) is another name of something")
        continue
      }
    }
    #expect(throws: HDF5Error.self) { try root.dataset("links/type again") }
    #expect(try root.dataset("links/reference").type == .other("reference"))
    #expect(try root.group("links/inner/up/inner/up").names.count == 10)
    #expect(try root.dataset("links/soft up/links/typed").read(as: Float.self) == [1, 2])
    let outside = try thrown(HDF5Error.self) { try root.group("links/elsewhere") }
    #expect("\(outside)".hasSuffix("/links/elsewhere: refused: a link out of the file"))
    let loop = try thrown(HDF5Error.self) { try root.group("links/loop") }
    #expect("\(loop)".contains("soft links in a row"))
  }

  /// One step is given a second; to walk over all chunks for each would take five.
  @Test func aWholeFileOfManySmallChunksIsRead() throws {
    let dataset = try HDF5File(reading: goldenPath("many_chunks")).root.dataset("many")
    #expect(try dataset.read(as: Int.self) == Array(0..<20_000))
  }

  @Test func chunksOfEverySort() throws {
    let few = try root.dataset("chunks/few of many").read(as: Float.self)
    #expect(few.count == 10_000_000 && few.suffix(3) == [3, 1, 2] && few.prefix(9_999_998).allSatisfy { $0 == 3 })
    #expect(try root.dataset("chunks/shrunk").read(as: Float.self) == [0, 1, 2, 3, 4])
    #expect(try root.dataset("chunks/edges unfiltered").read(as: Float.self) == (0..<42).map(Float.init))
  }
}
