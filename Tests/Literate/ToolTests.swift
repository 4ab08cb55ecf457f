import Foundation
import Testing

/// The tool as the build plugin calls it: a broken chapter fails the build with file and line.
@Suite struct ToolTests {
  static func tool(_ chapter: String?) throws -> (status: Int32, errors: String, output: String?) {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("literate-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder.appendingPathComponent("docs"), withIntermediateDirectories: true)
    if let chapter { try Data(chapter.utf8).write(to: folder.appendingPathComponent("docs/01-a.md")) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("LiterateTool")
    let output = folder.appendingPathComponent("out.swift")
    process.arguments = [folder.path, "docs/01-a.md", output.path]
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    let errors = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, errors, try? String(contentsOf: output, encoding: .utf8))
  }

  @Test func aGoodChapterBecomesAFile() throws {
    let result = try Self.tool("# One\n```swift\nlet x = 1  // => 1\n```\n")
    #expect(result.status == 0 && result.errors.isEmpty)
    #expect(result.output?.contains("func chapter01A()") == true)
  }

  @Test func aBrokenChapterIsAnErrorAtItsLineAndNoFile() throws {
    let result = try Self.tool("# One\n\n```swift\n// => 1\n```\n```swif\n```\n")
    #expect(result.status == 1 && result.output == nil)
    #expect(result.errors.hasPrefix("docs/01-a.md:6: error: unknown fence language"), "\(result.errors)")
    let check = try Self.tool("# One\n\n```swift\n// => 1\n```\n")
    #expect(check.status == 1 && check.errors.hasPrefix("docs/01-a.md:4: error: no expression"), "\(check.errors)")
  }

  @Test func anAbsentChapterIsNamed() throws {
    let result = try Self.tool(nil)
    #expect(result.status == 1 && result.errors.contains("docs/01-a.md"))
  }
}
