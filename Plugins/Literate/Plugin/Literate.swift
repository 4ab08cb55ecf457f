import Foundation
import PackagePlugin

/// Makes a Swift Testing function of every chapter `docs/NN-title.md` of the package: one tool call, one Swift file a
/// chapter, made anew when the chapter changes.
@main struct Literate: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let tool = try context.tool(named: "LiterateTool")
    let package = context.package.directoryURL
    let docs = package.appending(path: "docs", directoryHint: .isDirectory)
    let names = try FileManager.default.contentsOfDirectory(atPath: docs.path(percentEncoded: false))
    return names.filter(isChapter).sorted().map { name in
      let output = context.pluginWorkDirectoryURL.appending(path: name.dropLast(3) + ".swift")
      return .buildCommand(
        displayName: "Chapter docs/\(name)", executable: tool.url,
        arguments: [package.path(percentEncoded: false), "docs/\(name)", output.path(percentEncoded: false)],
        inputFiles: [docs.appending(path: name)], outputFiles: [output])
    }
  }

  /// Two digits, a hyphen, a title.
  private func isChapter(_ name: String) -> Bool {
    name.hasSuffix(".md") && name.prefix(2).allSatisfy { $0.isASCII && $0.isNumber } && name.dropFirst(2).first == "-"
  }
}
