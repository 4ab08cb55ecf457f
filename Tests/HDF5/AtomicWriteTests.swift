import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct AtomicWrite {
  struct Interruption: Error {}
  let directory = try! TemporaryDirectory()

  @Test func aFailureLeavesTheOldFileAndNothingElse() throws {
    let path = directory.file("x.h5")
    try HDF5File.writeAtomically(to: path) { try $0.root.setAttribute("version", .integer(1)) }
    let before = try bytes(of: path)
    #expect(throws: Interruption.self) {
      try HDF5File.writeAtomically(to: path) { file in
        try file.root.setAttribute("version", .integer(2))
        throw Interruption()
      }
    }
    #expect(try bytes(of: path) == before)
    #expect(try directory.names == ["x.h5"])
  }

  @Test func aSuccessReplacesItAndKeepsItsPermissions() throws {
    let path = directory.file("x.h5")
    try write(Data("old".utf8), to: path)
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    var leaked: HDF5NewGroup?
    try HDF5File.writeAtomically(to: path) { file in
      leaked = try file.root
      try file.root.setAttribute("version", .integer(2))
    }
    #expect(try HDF5File(reading: path).root.integer("version") == 2)
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o640)
    #expect(throws: HDF5Error.self) { try leaked?.createGroup("late") }
  }

  @Test func aSymbolicLinkKeepsPointing() throws {
    let path = directory.file("target.h5")
    try write(Data(), to: path)
    try FileManager.default.createSymbolicLink(atPath: directory.file("link.h5"), withDestinationPath: path)
    try HDF5File.writeAtomically(to: directory.file("link.h5")) { try $0.root.setAttribute("a", .integer(1)) }
    #expect(try HDF5File(reading: path).root.integer("a") == 1)
    #expect(try directory.names == ["link.h5", "target.h5"])
  }

  @Test func devicesAndPipesAreNotReplaced() throws {
    #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
    try FileManager.default.createSymbolicLink(atPath: directory.file("full"), withDestinationPath: "/dev/full")
    for (name, what) in [("pipe", "a FIFO"), ("full", "a device")] {
      let path = directory.file(name)
      let error = try thrown(HDF5Error.self) { try HDF5File.writeAtomically(to: path) { _ in } }
      #expect("\(error)" == "\(path): is \(what), not an ordinary file")
    }
    #expect(try directory.names == ["full", "pipe"])
  }

  @Test func whatDeadWritersLeftIsSwept() throws {
    let path = directory.file("x.h5")
    for name in ["x.h5.abc12.temporary", "y.h5.abc12.temporary"] { try write(Data("left".utf8), to: directory.file(name)) }
    try HDF5File.writeAtomically(to: path) { file in
      try HDF5File.writeAtomically(to: path) { try $0.root.setAttribute("first", .integer(1)) }
      try file.root.setAttribute("second", .integer(2))
    }
    #expect(try HDF5File(reading: path).root.attributeNames == ["second"])
    #expect(try directory.names == ["x.h5", "y.h5.abc12.temporary"])
  }

  @Test func errorsNameTheDestination() throws {
    let absent = directory.file("absent/x.h5")
    let error = try thrown(HDF5Error.self) { try HDF5File.writeAtomically(to: absent) { _ in } }
    #expect(error.file == absent)
    #expect("\(error)".contains("No such file or directory"))
    let taken = try thrown(HDF5Error.self) {
      try HDF5File.writeAtomically(to: directory.file("x.h5")) { file in
        try file.root.createDataset("a/b", shape: [1], values: [Float(1)])
        try file.root.createDataset("a/b", shape: [1], values: [Float(1)])
      }
    }
    #expect("\(taken)" == "\(directory.file("x.h5")): /a/b: the name is taken")
    #expect(try directory.names.isEmpty)
  }

  @Test func whatCannotBeWrittenIsRefused() throws {
    try HDF5File.writeAtomically(to: directory.file("x.h5")) { file in
      let root = try file.root
      #expect(throws: HDF5Error.self) { try root.setAttribute("a", .string("nul\0nul")) }
      #expect(throws: HDF5Error.self) { try root.setAttribute("", .integer(1)) }
      #expect(throws: HDF5Error.self) { try root.setAttribute("a", .integers([1], shape: [2])) }
      #expect(throws: HDF5Error.self) { try root.createGroup("") }
      #expect(throws: HDF5Error.self) { try root.createGroup("a/./b") }
      #expect(throws: HDF5Error.self) { try root.createDataset("d", shape: [2, 2], values: [Float(1)]) }
      #expect(throws: HDF5Error.self) { try root.createDataset("d", shape: [-1, -1], values: [Float(1)]) }
      #expect(throws: HDF5Error.self) {
        try root.createDataset("d", shape: [1], values: [Float(1)], storage: .checked(deflate: 12))
      }
    }
  }
}
