import Foundation
import Testing

/// A folder for plugins, and the tools that make and use them.
final class Workshop {
  let folder: URL
  /// Where the build puts object files and the command.
  static let products = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("plugins-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  func write(_ data: Data, to name: String) throws -> String {
    try data.write(to: URL(fileURLWithPath: path(name)))
    return path(name)
  }

  private static let linkedFixture = Result<Data, any Error> {
    let workshop = try Workshop()
    return try Data(contentsOf: URL(fileURLWithPath: workshop.link("libFixture.so", modules: ["PluginFixture"])))
  }

  /// The fixture as a plugin: its own object files, DetectionCore's left out. Linked once for all tests.
  static func fixture() throws -> Data { try linkedFixture.get() }

  /// A library of modules' object files.
  func link(_ name: String, modules: [String]) throws -> String {
    let objects = try modules.flatMap { module in
      let build = Self.products.appendingPathComponent("\(module).build")
      let files = FileManager.default.enumerator(atPath: build.path)?.compactMap { $0 as? String } ?? []
      return try #require(files.isEmpty ? nil : files.filter { $0.hasSuffix(".o") }.map { build.appendingPathComponent($0).path })
    }
    let result = try run("/usr/bin/env", ["swiftc", "-emit-library", "-o", path(name)] + objects)
    try #require(result.status == 0, "\(result.error)")
    return path(name)
  }

  func command(_ arguments: String...) throws -> Output {
    try run(Self.products.appendingPathComponent("sampling-free").path, arguments)
  }

  struct Output {
    let status: Int32
    let output, error: String
  }

  func run(_ program: String, _ arguments: [String]) throws -> Output {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    let texts = (path("stdout-\(UUID())"), path("stderr-\(UUID())"))
    for text in [texts.0, texts.1] { _ = FileManager.default.createFile(atPath: text, contents: nil) }
    process.standardOutput = FileHandle(forWritingAtPath: texts.0)
    process.standardError = FileHandle(forWritingAtPath: texts.1)
    try process.run()
    process.waitUntilExit()
    return Output(
      status: process.terminationStatus, output: try String(contentsOfFile: texts.0, encoding: .utf8),
      error: try String(contentsOfFile: texts.1, encoding: .utf8))
  }
}

extension Data {
  /// With one text put for another of the same length.
  func patched(_ old: String, _ new: String) throws -> Data {
    #expect(old.utf8.count == new.utf8.count)
    var data = self
    let range = try #require(data.range(of: Data(old.utf8)))
    data.replaceSubrange(range, with: Data(new.utf8))
    return data
  }
}
