import DetectionCore
import Foundation

/// A plugin's code in this process. Never unloaded: Swift keeps pointers into it.
struct SharedLibrary {
  private let path: String
  private let handle: UnsafeMutableRawPointer

  /// A symbol of DetectionCore that every strategy refers to: the descriptor of the protocol `Strategy`.
  private static let core = "$s13DetectionCore8StrategyMp"

  /// - Throws: `PluginError` where this program or the library lacks symbols.
  init(_ path: String) throws(PluginError) {
    self.path = path
    guard dlsym(dlopen(nil, RTLD_NOW), Self.core) != nil else {
      throw PluginError(
        path: path,
        reason: "cannot be loaded by this program, which does not export its symbols: link it with -Xlinker --export-dynamic")
    }
    // A bare name would be looked for in the system's folders.
    guard let handle = dlopen(URL(fileURLWithPath: path).path, RTLD_NOW | RTLD_LOCAL) else {
      throw PluginError(path: path, reason: Self.explanation(of: dlerror().map { String(cString: $0) } ?? "unknown error"))
    }
    self.handle = handle
    // Looks in the library and what it is linked with, not in this program.
    guard dlsym(handle, Self.core) == nil else {
      throw PluginError(
        path: path,
        reason: "carries a copy of DetectionCore, whose protocols are not this program's: link it from its own object files only, as Plugins/Template/build-plugin.sh does")
    }
  }

  /// - Throws: `PluginError` where there is none.
  func pluginEntry() throws(PluginError) -> StrategyPlugin.Entry {
    guard let symbol = dlsym(handle, StrategyPlugin.entryName) else {
      throw PluginError(
        path: path,
        reason: "has no function \(StrategyPlugin.entryName): declare one with @_cdecl(\"\(StrategyPlugin.entryName)\")")
    }
    return unsafeBitCast(symbol, to: StrategyPlugin.Entry.self)
  }

  private static func explanation(of message: String) -> String {
    guard let range = message.range(of: "undefined symbol: ") else { return "cannot be loaded: \(message)" }
    let symbol = message[range.upperBound...].prefix { !$0.isWhitespace }
    return "needs the symbol \(symbol), which this program does not have: link the plugin with all of its object files, and build both in the same configuration (release or debug)"
  }
}
