import DetectionCore
import Foundation

/// One kind of input from outside: files to start from, how they are damaged, and how they are read.
///
/// What is read either serves or gives an error that a user can act on. Anything else is a fault of this package: a
/// crash, a hang, memory out of proportion, or an `UnfitError`.
public struct FuzzTarget: Sendable {
  public let name: String
  /// Sound inputs.
  public let seeds: @Sendable () throws -> [[UInt8]]
  /// Damages an input in a way that suits its format, so that what lies behind checksums and brackets is met too.
  public let mutate: @Sendable (_ input: [UInt8], _ random: inout SeededGenerator, _ bytes: ByteMutator) -> [UInt8]
  /// Reads an input through the entry point that users have, with a folder for files.
  /// - Returns: what came of it.
  private let read: @Sendable (_ input: [UInt8], _ folder: String) throws -> Void
  /// The most lines that an error's message may have.
  private let messageLines: Int

  init(
    _ name: String, messageLines: Int = 1, seeds: @escaping @Sendable () throws -> [[UInt8]],
    mutate: @escaping @Sendable ([UInt8], inout SeededGenerator, ByteMutator) -> [UInt8],
    read: @escaping @Sendable ([UInt8], String) throws -> Void
  ) {
    self.name = name
    self.messageLines = messageLines
    self.seeds = seeds
    self.mutate = mutate
    self.read = read
  }

  public static let all = [png, jpeg, coco, configuration, metrics, weights, weightsContent, archive]

  /// - Returns: the error's message, or nil for an input that could be read.
  /// - Throws: `UnfitError`.
  public func message(for input: [UInt8], folder: String) throws -> String? {
    do {
      try read(input, folder)
      return nil
    } catch let error as UnfitError {
      throw error
    } catch {
      let message = "\(error)"
      let lines = message.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      // Foundation's errors name neither file nor key; what a file holds must not steer a terminal.
      let unfit = message.isEmpty || lines.count > messageLines || message.utf8.count > 10_000 || message.contains("Error Domain=")
        || error is DecodingError || lines.joined().unicodeScalars.contains { $0.properties.generalCategory == .control }
      if unfit { throw UnfitError(message: message) }
      return message
    }
  }
}

/// A result that helps nobody: an error whose message is empty, long, of several lines or unprintable, or values that cannot be.
public struct UnfitError: Error, CustomStringConvertible {
  let message: String
  public var description: String { "unfit: \"\(message.prefix(2000))\"" }
}

/// Where the package lies whose files are the seeds.
let packageRoot = String(#filePath.dropLast("/Tests/Fuzz/Targets/FuzzTarget.swift".count))

func contents(of path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }
func write(_ bytes: [UInt8], to path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
