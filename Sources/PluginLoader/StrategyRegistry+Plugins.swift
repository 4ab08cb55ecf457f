import DetectionCore
import Foundation

extension StrategyRegistry {
  /// Loads strategy plugins and adds their strategies. A file named twice is loaded once.
  ///
  /// A plugin's code runs with all rights of the process: load only what the user named, never what a weights file or a
  /// download names.
  /// - Throws: `PluginError`: no such file, no shared library, another machine's, no plugin, compiled for another build,
  ///   symbols missing, or a name that is taken.
  public mutating func load(plugins paths: [String]) throws(PluginError) {
    var seen: Set<String> = []
    for path in paths {
      let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
      if seen.insert(real).inserted { try load(plugin: path) }
    }
  }

  private mutating func load(plugin path: String) throws(PluginError) {
    try PluginFile(path).checkStamp()
    let entry = try SharedLibrary(path).pluginEntry()
    let strategies: StrategyRegistry
    do { strategies = try StrategyPlugin.strategies(of: entry) } catch {
      throw PluginError(path: path, reason: "cannot be used: \(error)")
    }
    do { try add(strategies) } catch { throw PluginError(path: path, reason: "cannot be added: \(error)") }
  }
}
