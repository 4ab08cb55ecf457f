import Foundation
import Testing

/// A few seconds of what `make soak` does for hours.
@Suite struct SoakTests {
  @Test func memoryFilesAndThreadsDoNotAddUp() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("bench")
    process.arguments = ["soak", "--minutes", "0.05", "--most", "24"]
    process.environment = ProcessInfo.processInfo.environment.merging(["OMP_NUM_THREADS": "1"]) { $1 }
    let (output, messages) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = messages
    try process.run()
    process.waitUntilExit()
    let text = [output, messages].map { String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }
    #expect(process.terminationReason == .exit && process.terminationStatus == 0, "\(text)")
    #expect(text[0].contains("at the end"))
  }
}
