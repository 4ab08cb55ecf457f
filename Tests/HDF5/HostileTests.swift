import Foundation
import HDF5
import TestSupport
import Testing

/// Files made to do harm (Goldens/make_hostile.py): each gives an error that names its dataset, before memory is taken.
@Suite struct Hostile {
  let root: HDF5Group

  init() throws { root = try HDF5File(reading: goldenPath("hostile")).root }

  private func error(_ name: String) throws -> HDF5Error {
    try thrown(HDF5Error.self) { _ = try root.dataset(name).read(as: Float.self) }
  }

  @Test(arguments: ["claim", "chunked claim", "wide claim"]) func claimsOfSizeAreNotBelieved(name: String) throws {
    let error = try error(name)
    guard case .tooLarge = error.reason else {
      Issue.record("\(error)")
      return
    }
    #expect(error.object == "/\(name)")
  }

  @Test(arguments: [
    ("bomb", "/bomb: HDF5: damaged: a chunk cannot be decompressed"), ("dud", "/dud: HDF5: damaged: a chunk of 12 bytes instead of 4096"),
    ("twice", "/twice: refused: a filter applied twice"),
  ]) func filtersUnpackWhatWasAnnounced(name: String, message: String) throws {
    let error = try error(name)
    #expect("\(error)".hasSuffix(message), "\(error)")
  }

  @Test func datasetsTogetherAreBoundedToo() throws {
    let names = try root.group("zeros").names
    let datasets = try names.map { try root.dataset("zeros/\($0)") }
    #expect(try datasets[0].read(as: Float.self).count == 4 << 20)
    let error = try thrown(HDF5Error.self) { _ = try root.file.read(datasets, as: Float.self) }
    #expect("\(error)".contains("/zeros/") && "\(error)".contains("the datasets come to more than"), "\(error)")
  }

  @Test(arguments: [("ring/a", "/ring/b: more than 16 soft links in a row"), ("dangling", "no \"nowhere\" here")])
  func linksThatLeadNowhereAreErrors(name: String, message: String) throws {
    let error = try error(name)
    #expect("\(error)".contains(message))
  }

  @Test func theRestOfSuchAFileIsRead() throws {
    #expect(try root.dataset("sound").read(as: Float.self, rank: 1) == [0, 1, 2, 3, 4, 5])
    let rank = try thrown(HDF5Error.self) { _ = try root.dataset("sound").read(as: Float.self, rank: 4) }
    #expect("\(rank)".hasSuffix("/sound: expected rank 4, found shape [6]"))
  }
}
