import Files
import Foundation
import TestSupport
import Testing

@Suite struct OrdinaryFiles {
  let directory = try! TemporaryDirectory()

  @Test func bytesAreThoseOfTheFile() throws {
    let path = directory.file("x")
    for content in [Data(), Data("abc".utf8), Data(repeating: 7, count: 300_000)] {
      try content.write(to: URL(fileURLWithPath: path))
      #expect(try OrdinaryFile.data(of: path) == content)
      #expect(try OrdinaryFile.bytes(of: path) == [UInt8](content))
    }
    try FileManager.default.createSymbolicLink(atPath: directory.file("link"), withDestinationPath: path)
    #expect(try OrdinaryFile.bytes(of: directory.file("link")).count == 300_000)
    let error = try thrown(FileError.self) { _ = try OrdinaryFile.bytes(of: path, limit: 1000) }
    #expect("\(error)" == "\(path): is of 300000 bytes, more than 1000")
  }

  @Test(.timeLimit(.minutes(1))) func whatIsNoOrdinaryFileIsRefusedAtOnce() throws {
    func reason(_ path: String) throws -> String {
      let error = try thrown(FileError.self) { _ = try OrdinaryFile.bytes(of: path) }
      #expect(throws: error) { try OrdinaryFile.check(path) }
      #expect(error.path == path && error.localizedDescription == error.reason)
      return error.reason
    }
    let pipe = directory.file("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    try FileManager.default.createSymbolicLink(atPath: directory.file("link"), withDestinationPath: pipe)
    #expect(try reason(pipe) == "is a FIFO, not an ordinary file")
    #expect(try reason(directory.file("link")) == "is a FIFO, not an ordinary file")
    #expect(try reason(directory.path) == "is a folder, not an ordinary file")
    #expect(try reason("/dev/zero") == "is a device, not an ordinary file")
    #expect(try reason(directory.file("absent")) == "No such file or directory")
    #expect(try reason("") == "No such file or directory")
    try directory.withSocket("socket") { path in
      let reason = try reason(path)
      #expect(reason == "is a socket, not an ordinary file")
    }
  }
}

extension TemporaryDirectory {
  func withSocket(_ name: String, _ body: (String) throws -> Void) throws {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    // A path of its own would be too long for an address.
    let path = file(name)
    let short = "/tmp/\(UInt32.random(in: 0 ... .max))"
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: short.utf8) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    #expect(bound == 0)
    try FileManager.default.moveItem(atPath: short, toPath: path)
    try body(path)
  }
}
