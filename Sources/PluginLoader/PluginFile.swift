import DetectionCore
import Foundation
import Suggestions

/// A plugin's file, looked at before any of its code runs.
struct PluginFile {
  let path: String
  private let contents: Data

  /// - Throws: `PluginError` where the file is missing or no shared library for this machine.
  init(_ path: String) throws(PluginError) {
    self.path = path
    do { contents = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) } catch {
      throw PluginError(path: path, reason: Self.absence(of: URL(fileURLWithPath: path)))
    }
    if let reason = ELFHeader.unfitness(of: contents) { throw PluginError(path: path, reason: reason) }
  }

  /// - Throws: `PluginError` where there is no stamp, or that of another build.
  func checkStamp() throws(PluginError) {
    guard let stamp = stamp else {
      throw PluginError(
        path: path,
        reason: "is a shared library but no strategy plugin: it does not call StrategyPlugin.register")
    }
    if let difference = stamp.difference(from: .host) { throw PluginError(path: path, reason: difference) }
  }

  /// The first whole one: prefix, text, terminator.
  private var stamp: PluginStamp? {
    let prefix = Data(PluginStamp.prefix.utf8)
    var start = contents.startIndex
    while let found = contents.range(of: prefix, in: start..<contents.endIndex) {
      let text = contents[found.upperBound...].prefix(200).prefix { $0 >= 0x20 && $0 < 0x7F }
      if text.endIndex < contents.endIndex, Unicode.Scalar(contents[text.endIndex]) == PluginStamp.terminator {
        return PluginStamp(String(decoding: text, as: UTF8.self))
      }
      start = found.upperBound
    }
    return nil
  }

  private static func absence(of url: URL) -> String {
    guard let files = try? FileManager.default.contentsOfDirectory(atPath: url.deletingLastPathComponent().path) else {
      return "does not exist, nor does its folder"
    }
    if files.contains(url.lastPathComponent) {
      return (try? url.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) == true ? "is a folder" : "cannot be read"
    }
    return "does not exist\(Suggestions.hint(for: url.lastPathComponent, in: files.filter { $0.hasSuffix(".so") }.sorted()))"
  }
}
