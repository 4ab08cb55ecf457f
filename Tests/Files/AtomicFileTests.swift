import Files
import Foundation
import TestSupport
import Testing

@Suite struct AtomicFiles {
  struct Interruption: Error {}
  let directory = try! TemporaryDirectory()

  private func text(_ name: String) throws -> String { try String(contentsOfFile: directory.file(name), encoding: .utf8) }
  private func write(_ text: String, _ name: String) throws { try AtomicFile.write(Data(text.utf8), to: directory.file(name)) }

  @Test func aFileIsReplacedWholeAndKeepsItsPermissions() throws {
    try write("old", "x")
    chmod(directory.file("x"), 0o640)
    #expect(throws: Interruption.self) {
      try AtomicFile.write(to: directory.file("x")) { temporary in
        try Data("ne".utf8).write(to: URL(fileURLWithPath: temporary))
        throw Interruption()
      }
    }
    #expect(try text("x") == "old")
    try write("new", "x")
    #expect(try text("x") == "new")
    #expect(try FileManager.default.attributesOfItem(atPath: directory.file("x"))[.posixPermissions] as? Int == 0o640)
    #expect(try directory.names == ["x"])
  }

  @Test func symbolicLinksKeepPointing() throws {
    try FileManager.default.createDirectory(atPath: directory.file("a"), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: directory.file("first"), withDestinationPath: "a/second")
    try FileManager.default.createSymbolicLink(atPath: directory.file("a/second"), withDestinationPath: "target")
    for content in ["made", "replaced"] {
      try write(content, "first")
      #expect(try text("a/target") == content)
    }
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: directory.file("first")) == "a/second")
    try FileManager.default.createSymbolicLink(atPath: directory.file("loop"), withDestinationPath: "loop")
    #expect(throws: FileError(path: directory.file("loop"), reason: "Too many levels of symbolic links")) { try write("", "loop") }
  }

  @Test func onlyOrdinaryFilesAreReplaced() throws {
    #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
    try FileManager.default.createSymbolicLink(atPath: directory.file("null"), withDestinationPath: "/dev/null")
    try FileManager.default.createDirectory(atPath: directory.file("folder"), withIntermediateDirectories: true)
    for (name, what) in [("pipe", "a FIFO"), ("null", "a device"), ("folder", "a folder")] {
      let error = FileError(path: directory.file(name), reason: "is \(what), not an ordinary file")
      #expect(throws: error) { try write("", name) }
      #expect(throws: error) { try AtomicFile.check(directory.file(name)) }
    }
    try directory.withSocket("socket") { path in #expect(throws: FileError.self) { try AtomicFile.check(path) } }
    #expect(throws: FileError.self) { try write("", "folder/") }
    #expect(throws: FileError.self) { try write("", "absent/x") }
    #expect(throws: FileError.self) { try AtomicFile.write(Data(), to: "") }
    #expect(try directory.names == ["folder", "null", "pipe", "socket"])
  }

  @Test func whatWritersLeftIsSweptByTheNextAlone() throws {
    let left = ["x.h5.1abc2.temporary", "x.h5.zzzzzzz.temporary"]
    let others = ["x.h5.temporary", "x.h5.A.temporary", "x.h5.12345678.temporary", "y.h5.1.temporary", "x.h5.1.temporary.h5"]
    for name in left + others { try Data().write(to: URL(fileURLWithPath: directory.file(name))) }
    try AtomicFile.write(to: directory.file("x.h5")) { living in
      try write("between", "x.h5")
      #expect(FileManager.default.fileExists(atPath: living))
      #expect(try directory.names.filter { left.contains($0) }.isEmpty)
      try Data("last".utf8).write(to: URL(fileURLWithPath: living))
    }
    #expect(try text("x.h5") == "last")
    #expect(try directory.names == (others + ["x.h5"]).sorted())
  }
}
