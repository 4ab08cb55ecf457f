import Foundation
import SamplingFree
import TestSupport
import Testing

/// Files that are none, cannot be written or fill the disk: one line that names them, nothing changed, nothing left over.
@Suite struct FileCommandTests {
  let directory = try! TemporaryDirectory()

  private func makeWeights(_ name: String) throws {
    let weights = ModelWeights(
      tensors: ["backbone/stem/conv/kernel": Tensor(shape: [64, 3, 7, 7], values: Array(repeating: 0.5, count: 64 * 147))],
      metadata: WeightsMetadata(detector: WeightsMetadata.backbone, configuration: "", classNames: [], convention: "native"))
    try WeightsFile.write(weights, to: directory.file(name))
  }

  @Test(.timeLimit(.minutes(1))) func weightsFromAPipeAreRefusedAtOnce() throws {
    #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
    for arguments in [["inspect", "pipe"], ["convert", "pipe", "x.h5", "--to", "native"], ["detect", "pipe", "x.png"]] {
      let result = try Command.run(arguments, in: directory)
      #expect(result.status == 1 && result.messages == "Error: pipe: is a FIFO, not an ordinary file\n", "\(result)")
    }
  }

  @Test func weightsAreNotWrittenOntoDevicesOrFolders() throws {
    try makeWeights("in.h5")
    try FileManager.default.createSymbolicLink(atPath: directory.file("null"), withDestinationPath: "/dev/null")
    try FileManager.default.createDirectory(atPath: directory.file("folder"), withIntermediateDirectories: true)
    for (target, what) in [("/dev/full", "a device"), ("null", "a device"), ("folder", "a folder")] {
      let result = try Command.run("convert", "in.h5", target, "--to", "native", in: directory)
      #expect(result.status == 1 && result.messages == "Error: \(target): is \(what), not an ordinary file\n", "\(result)")
    }
    #expect(try directory.names == ["folder", "in.h5", "null"])
    var status = stat()
    #expect(stat("/dev/full", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
  }

  /// A limit on the size of files fails the same calls as a full disk.
  @Test(arguments: ["1", "8", "20"]) func aFullDiskLeavesTheOldFile(kibibytes: String) throws {
    try makeWeights("in.h5")
    try Data("old".utf8).write(to: URL(fileURLWithPath: directory.file("out.h5")))
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/bash")
    shell.currentDirectoryURL = URL(fileURLWithPath: directory.path)
    shell.arguments = [
      "-c", "trap '' XFSZ; ulimit -f \(kibibytes); exec \"$0\" convert in.h5 out.h5 --to native", Command.executable.path,
    ]
    let messages = Pipe()
    shell.standardError = messages
    try shell.run()
    let text = String(decoding: messages.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    shell.waitUntilExit()
    #expect(shell.terminationReason == .exit && shell.terminationStatus == 1)
    #expect(text == "Error: out.h5: File too large\n")
    #expect(try String(contentsOfFile: directory.file("out.h5"), encoding: .utf8) == "old")
    #expect(try directory.names == ["in.h5", "out.h5"])
  }
}
