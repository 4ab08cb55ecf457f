import Foundation

/// A `sh run` block that failed.
public struct ShellError: Error, CustomStringConvertible {
  public var description: String
}

extension ChapterRun {
  /// Runs a script with `sh -e` in the package's root. What the package builds is on the search path, so a chapter
  /// calls the command by its name.
  ///
  /// - Parameter expected: texts that stand in the output, in this order, each a line; `…` stands for any characters.
  /// - Throws: `ShellError` where the exit status is not 0.
  public func shell(_ script: String, printing expected: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-e", "-c", script]
    process.currentDirectoryURL = URL(fileURLWithPath: packageDirectory, isDirectory: true)
    var environment = ProcessInfo.processInfo.environment
    let products = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    environment["PATH"] = products + ":" + (environment["PATH"] ?? "/usr/bin:/bin")
    process.environment = environment
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw ShellError(description: "exit status \(process.terminationStatus) of\n\(script)\n\(output)")
    }
    var lines = output.split(separator: "\n", omittingEmptySubsequences: false)[...]
    for text in expected {
      guard let index = lines.firstIndex(where: { OutputPattern(text).matches(String($0)) }) else {
        fail("the chapter says \(text), the output is\n\(output)", line: line)
        return
      }
      lines = lines[(index + 1)...]
    }
  }
}
