import Configuration
import Foundation

/// Files in a folder that goes when the value does.
final class ConfigurationFolder {
  let url: URL

  init(_ files: [String: String]) throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("configuration-\(UUID().uuidString)")
    for (name, text) in files {
      let file = url.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func load(_ name: String, overrides: [String] = []) throws -> ExperimentConfiguration {
    try ExperimentConfiguration.load(url.appendingPathComponent(name).path, overrides: overrides)
  }

  /// The error of loading a file, the folder's path left out.
  func message(_ name: String, overrides: [String] = []) -> String {
    configurationMessage { _ = try load(name, overrides: overrides) }.replacingOccurrences(of: url.path + "/", with: "")
  }
}

/// The text of the `ConfigurationError` thrown, or what came in its place.
func configurationMessage(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch let error as ConfigurationError {
    return error.description
  } catch { return "another error: \(error)" }
}

/// The error of a text called `c.yaml`.
func configurationMessage(_ yaml: String, overrides: [String] = []) -> String {
  configurationMessage { _ = try ExperimentConfiguration(yaml: yaml, name: "c.yaml", overrides: overrides) }
}
