import Foundation
import PackagePlugin

/// Writes the stamp by which host and strategy plugin recognise one another into a module: a number for the Swift
/// sources of the module and of those that it builds on.
@main struct PluginStamp: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let modules = ([target] + target.recursiveTargetDependencies).compactMap { $0 as? SwiftSourceModuleTarget }
    let sources = modules.sorted { $0.name < $1.name }.flatMap { module in
      module.sourceFiles(withSuffix: "swift").map(\.url).sorted { $0.path < $1.path }
    }
    let output = context.pluginWorkDirectoryURL.appending(path: "CurrentPluginStamp.swift")
    return [
      .buildCommand(
        displayName: "Plugin stamp of \(target.name)", executable: try context.tool(named: "PluginStampTool").url,
        arguments: [output.path(percentEncoded: false)] + sources.map { $0.path(percentEncoded: false) },
        inputFiles: sources, outputFiles: [output])
    ]
  }
}
