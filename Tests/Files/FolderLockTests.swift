import Files
import Foundation
import TestSupport
import Testing

@Suite struct FolderLockTests {
  @Test func oneHolderKeepsOthersOutAndLeavesNothing() throws {
    let directory = try TemporaryDirectory()
    let folder = directory.file("deep/run")
    var lock: FolderLock? = try FolderLock(folder)
    let error = try thrown(FileError.self) { try FolderLock(folder) }
    #expect(error.path == folder && error.reason.hasPrefix("is in use by process \(getpid()) on "), "\(error)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [".lock"])
    withExtendedLifetime(lock) {}
    lock = nil
    #expect(try directory.names.isEmpty, "the folders that it made are gone, too")
    #expect(throws: Never.self) { try FolderLock(folder) }
  }

  @Test func whatCameIntoTheFolderStays() throws {
    let directory = try TemporaryDirectory()
    var lock: FolderLock? = try FolderLock(directory.file("deep/run"))
    _ = try directory.write("result", to: "deep/run/file")
    withExtendedLifetime(lock) {}
    lock = nil
    #expect(try FileManager.default.subpathsOfDirectory(atPath: directory.path).sorted() == ["deep", "deep/run", "deep/run/file"])
  }

  /// Whoever was killed held the lock no longer.
  @Test(arguments: ["process 1 on elsewhere\n", "", "\u{0}\u{1}"]) func aFileLeftBehindLocksNothing(text: String) throws {
    let directory = try TemporaryDirectory()
    _ = try directory.write(text, to: ".lock")
    let lock = try FolderLock(directory.path)
    #expect(try String(contentsOfFile: directory.file(".lock"), encoding: .utf8).hasPrefix("process \(getpid()) on "))
    withExtendedLifetime(lock) {}
  }

  @Test func aHolderThatDoesNotSayWhoItIsHoldsAllTheSame() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write("\u{1B}[2J", to: ".lock")
    let file = open(path, O_RDWR)
    defer { close(file) }
    try #require(flock(file, LOCK_EX) == 0)
    let error = try thrown(FileError.self) { try FolderLock(directory.path) }
    #expect(error.reason == "is in use by another process")
  }

  @Test func whatIsInTheWayIsNamed() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("a file", to: "file")
    let itself = try thrown(FileError.self) { try FolderLock(file) }
    #expect(itself.reason == "cannot be made: \(file) is a file, not a folder")
    let below = try thrown(FileError.self) { try FolderLock("\(file)/a/b") }
    #expect(below.path == "\(file)/a/b" && below.reason.hasSuffix("Not a directory"), "\(below)")
    try #require(mkfifo(directory.file(".lock"), 0o600) == 0)
    let pipe = try thrown(FileError.self) { try FolderLock(directory.path) }
    #expect(pipe.reason == "is a FIFO, not an ordinary file")
    #expect(throws: FileError.self) { try FolderLock("/proc/none/a") }
    #expect(try directory.names == [".lock", "file"])
  }
}
