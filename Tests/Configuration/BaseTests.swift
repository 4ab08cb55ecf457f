import Configuration
import DetectionCore
import Foundation
import Testing

@Suite struct BaseTests {
  @Test func mappingsMergeKeyByKey() throws {
    let folder = try ConfigurationFolder([
      "a.yaml": "seed: 3\ntrain: { steps: 7, batchSize: 2, decaySteps: [1, 2, 3] }\ndetector: { head: { channels: 32 } }",
      "sub/b.yaml": "base: ../a.yaml\ntrain:\n  steps: 8\n  decaySteps: [5]\ndetector: { head: { convolutions: 1 } }",
      "c.yaml": "base: sub/b.yaml\nseed: 4\ninput:\n",
    ])
    let configuration = try folder.load("c.yaml")
    #expect(configuration.seed == 4)
    #expect(configuration.train.steps == 8 && configuration.train.batchSize == 2)
    #expect(configuration.train.decaySteps == [5], "lists are replaced")
    #expect(configuration.detector.head.channels == 32 && configuration.detector.head.convolutions == 1)
  }

  @Test func aStrategyReplacesTheBasesWithItsParameters() throws {
    let folder = try ConfigurationFolder([
      "a.yaml": "sampler: { focal: { gamma: 1, alpha: 0.5 } }", "b.yaml": "base: a.yaml\nsampler: { focal: { gamma: 3 } }",
      "c.yaml": "base: a.yaml\nsampler: none",
    ])
    #expect(try folder.load("b.yaml").sampler == StrategyReference("focal", parameters: ["gamma": .int(3)]))
    #expect(try folder.load("c.yaml").sampler == StrategyReference("none"))
  }

  @Test func circlesAreErrors() throws {
    let folder = try ConfigurationFolder([
      "a.yaml": "base: b.yaml", "b.yaml": "base: ./c.yaml", "c.yaml": "base: ../\(0)/a.yaml", "self.yaml": "base: self.yaml",
      "sub/up.yaml": "base: ../sub/up.yaml",
    ])
    #expect(folder.message("self.yaml").contains("its bases form a circle: self.yaml -> self.yaml"))
    #expect(folder.message("sub/up.yaml").contains("its bases form a circle: up.yaml -> up.yaml"))
    let three = try ConfigurationFolder(["a.yaml": "base: b.yaml", "b.yaml": "base: ./c.yaml", "c.yaml": "base: a.yaml"])
    #expect(three.message("a.yaml").contains("its bases form a circle: a.yaml -> b.yaml -> c.yaml -> a.yaml"))
  }

  @Test func aBaseIsOneFileName() throws {
    let folder = try ConfigurationFolder(["a.yaml": "seed: 1\nbase: [b.yaml, c.yaml]"])
    #expect(folder.message("a.yaml") == #"a.yaml:2: "base" must be a file name"#)
  }

  /// A folder that leads to itself makes no endless chain.
  @Test func aCircleThroughALinkedFolderIsAnError() throws {
    let folder = try ConfigurationFolder(["a.yaml": "base: again/a.yaml"])
    try FileManager.default.createSymbolicLink(
      atPath: folder.url.appendingPathComponent("again").path, withDestinationPath: ".")
    #expect(folder.message("a.yaml").contains("its bases form a circle"))
  }

  @Test func aFileThatNamesNothingIsNoExperiment() throws {
    let folder = try ConfigurationFolder([
      "empty.yaml": "", "comment.yaml": "# nothing\n", "null.yaml": "~", "braces.yaml": "{}", "start.yaml": "---\n...\n",
      "top.yaml": "base: empty.yaml",
    ])
    for name in ["empty.yaml", "comment.yaml", "null.yaml", "braces.yaml", "start.yaml", "top.yaml"] {
      let message = "\(name): is empty; it names nothing to train on, such as data: { name: digit-scenes }"
      #expect(folder.message(name) == message)
      #expect(folder.message(name, overrides: ["train.steps=3"]) == message)
      #expect(try folder.load(name, overrides: ["data.name=tree-crowns"]).data.name == .treeCrowns)
    }
  }
}
