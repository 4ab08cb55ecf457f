import Foundation
import TestSupport

/// The built executable, run as a user runs it.
struct Command {
  struct Result {
    let status: Int32
    /// Standard output.
    let output: String
    /// Standard error.
    let messages: String
  }

  /// `.build/release/sampling-free`, beside the tests.
  static let executable = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appendingPathComponent("sampling-free")

  /// - Parameters:
  ///   - directory: the working directory.
  ///   - ranks: how many processes `mpirun` starts; nil starts the command itself.
  static func process(
    _ arguments: [String], in directory: String, environment: [String: String] = [:], ranks: Int? = nil
  ) -> Process {
    let process = Process()
    process.executableURL = ranks == nil ? executable : URL(fileURLWithPath: "/usr/bin/env")
    // Root may not use mpirun, and no more processes than cores may, unless it is told so.
    let launcher = ["OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "mpirun", "--oversubscribe", "--bind-to", "none"]
    process.arguments = (ranks.map { launcher + ["-n", "\($0)", executable.path] } ?? []) + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: directory, isDirectory: true)
    process.standardInput = FileHandle.nullDevice
    process.environment = ProcessInfo.processInfo.environment
      .merging(["OMP_NUM_THREADS": "1"]) { $1 }.merging(environment) { $1 }
    return process
  }

  static func run(
    _ arguments: String..., in directory: TemporaryDirectory, environment: [String: String] = [:], ranks: Int? = nil
  ) throws -> Result {
    try run(arguments, in: directory, environment: environment, ranks: ranks)
  }

  static func run(
    _ arguments: [String], in directory: TemporaryDirectory, environment: [String: String] = [:], ranks: Int? = nil
  ) throws -> Result {
    let process = process(arguments, in: directory.path, environment: environment, ranks: ranks)
    // Files take any amount without anybody reading.
    let files = ["out", "err"].map { directory.file(".\($0)-\(UUID().uuidString)") }
    let handles = try files.map { path in
      try Data().write(to: URL(fileURLWithPath: path))
      return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }
    process.standardOutput = handles[0]
    process.standardError = handles[1]
    try process.run()
    process.waitUntilExit()
    let texts = try files.map { try String(contentsOfFile: $0, encoding: .utf8) }
    for file in files { try FileManager.default.removeItem(atPath: file) }
    // A crash is reported as the signal's number, which no test expects.
    let status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    return Result(status: status, output: texts[0], messages: texts[1])
  }
}
