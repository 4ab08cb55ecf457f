import DetectionCore
import Foundation
import FuzzTargets
import TestSupport
import Testing

/// A few hundred damaged inputs of each kind, the same each time; `make fuzz` tries many more, under AddressSanitizer.
@Suite(.serialized) struct FuzzTests {
  init() { useThreads(1) }

  private static let found = "\(#filePath.dropLast("Tests/FuzzTests.swift".count))Found"

  @Test(arguments: FuzzTarget.all.map(\.name)) func damagedInputsGiveErrorsInBoundedTime(name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let directory = try TemporaryDirectory()
    let seeds = try target.seeds()
    for seed in seeds {
      let message = try target.message(for: seed, folder: directory.path)
      #expect(message == nil, "a sound input: \(message ?? "")")
    }
    let count = ["weights": 100, "weights-content": 60, "archive": 50][name] ?? 600
    var refused = 0
    for index in 0..<count {
      var random = SeededGenerator(seed: 11, UInt64(index))
      let input = target.mutate(seeds[index % seeds.count], &random, .plain)
      let start = ContinuousClock.now
      do { refused += try target.message(for: input, folder: directory.path) == nil ? 0 : 1 } catch {
        Issue.record("input \(index): \(error)")
      }
      #expect(start.duration(to: .now) < .seconds(20), "input \(index)")
    }
    #expect(name == "metrics" || refused > count / 10, "\(refused) of \(count) refused")
  }

  /// What once crashed, hung or gave an error without a message.
  @Test(arguments: FuzzTarget.all.map(\.name)) func whatWasFoundStaysMended(name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let directory = try TemporaryDirectory()
    for file in (try? FileManager.default.contentsOfDirectory(atPath: "\(Self.found)/\(name)").sorted()) ?? [] {
      let input = [UInt8](try bytes(of: "\(Self.found)/\(name)/\(file)"))
      #expect(throws: Never.self, "\(file)") { try target.message(for: input, folder: directory.path) }
    }
  }
}
