import Configuration
import Foundation
import Testing

/// Configurations come with weights from elsewhere: none may hang or crash.
@Suite struct HostileTests {
  @Test func aliasBombsAreRefusedBeforeTheyGrow() {
    let levels = (1...60).map { "a\($0): &a\($0) [\(Array(repeating: "*a\($0 - 1)", count: 9).joined(separator: ", "))]" }
    let bomb = "a0: &a0 [x]\n" + levels.joined(separator: "\n")
    #expect(configurationMessage(bomb) == #"c.yaml:2: aliases ("*a0") are not supported"#)
    let asKey = "? &a0 [x, x]\n: 1\n" + (1...60).map { "? &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n: 1" }.joined(separator: "\n")
    #expect(configurationMessage(asKey) == #"c.yaml:3: aliases ("*a0") are not supported"#)
    #expect(configurationMessage("train: &t { steps: 5 }\nloss: *t") == #"c.yaml:2: aliases ("*t") are not supported"#)
  }

  @Test func starsAndAmpersandsInTextsAreNoAliases() throws {
    let yaml = "# rate * batch & so on\ntrain: { output: 'runs/a*b & c' } # *x\n"
    #expect(try ExperimentConfiguration(yaml: yaml, name: "c.yaml").train.output == "runs/a*b & c")
    #expect(configurationMessage("seed: *x").hasPrefix("c.yaml:1: is not valid YAML: found undefined alias"))
  }

  @Test func anAliasThatLooksLikeTextIsRefused() {
    for yaml in [
      "seed: &s 3\nx: [*s]", "a: &x [1]\nb: 'it # is'\nc: *x", "a: &x \"# \"\nb: *x", "a: &x |\n  # text\nb: *x",
      "a: 'R &D'\nb: &D 3\nc: *D", "? &a x\n: *a",
    ] {
      let found = configurationMessage(yaml)
      #expect(found.contains("aliases (") || found.contains("found undefined alias"), "\(yaml): \(found)")
    }
  }

  @Test(arguments: ["# R&D *D\nseed: 7", "seed: 7 # &a *a", "train: { output: 'a&b/*b' }\nseed: 7", "seed: &s 7 # *s"])
  func anAliasInACommentOrATextIsNone(yaml: String) throws {
    #expect(try ExperimentConfiguration(yaml: yaml, name: "c.yaml").seed == 7)
  }

  @Test(arguments: ["[", "{a: ", "- ", "a:\n", "? "])
  func deepNestingIsRefused(opening: String) {
    for depth in [40, 900, 100_000] {
      let text: String
      if opening.hasSuffix("\n") {
        text = (0..<min(depth, 900)).map { String(repeating: " ", count: $0) + opening }.joined()
      } else {
        text = String(repeating: opening, count: depth)
      }
      let found = configurationMessage(text)
      #expect(found.hasPrefix("c.yaml"), "\(found.prefix(200))")
    }
    #expect(configurationMessage("train: " + String(repeating: "[", count: 40) + String(repeating: "]", count: 40))
      == "c.yaml:1: is nested too deeply")
  }

  @Test func textsOfRandomSignsGiveErrors() {
    var state: UInt64 = 1
    let signs = Array("abtrain:steps []{}#&*!|>'\"%@`?-,.0123456789\n\n  \t~<=\\")
    for _ in 0..<3000 {
      var text = ""
      for _ in 0..<40 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text.append(signs[Int(state >> 33) % signs.count])
      }
      let found = configurationMessage(text)
      #expect(found == "no error" || found.hasPrefix("c.yaml"), "\(text): \(found)")
    }
  }

  @Test func cutShortFilesGiveErrorsOrLess() throws {
    let whole = ExperimentConfiguration().yaml
    for length in 0..<whole.count {
      let found = configurationMessage(String(whole.prefix(length)))
      #expect(found == "no error" || found.hasPrefix("c.yaml"), "\(found)")
    }
  }

  @Test func whatIsNoConfigurationIsSaidToBeNone() throws {
    let folder = try ConfigurationFolder(["large.yaml": String(repeating: "# comment\n", count: 200_000)])
    #expect(folder.message("large.yaml") == "large.yaml is larger than 1 MB: no configuration")
    try Data([0xFF, 0xFE, 0x00, 0x80]).write(to: folder.url.appendingPathComponent("binary.yaml"))
    #expect(folder.message("binary.yaml") == "binary.yaml is not UTF-8 text")
    for (path, kind) in [("/dev/zero", "a device"), ("/dev/null", "a device"), ("/tmp", "a folder")] {
      let found = configurationMessage { _ = try ExperimentConfiguration.load(path) }
      #expect(found == "\(path) cannot be read: is \(kind), not an ordinary file")
    }
    let pipe = folder.url.appendingPathComponent("pipe.yaml").path
    try #require(mkfifo(pipe, 0o600) == 0)
    #expect(folder.message("pipe.yaml") == "pipe.yaml cannot be read: is a FIFO, not an ordinary file")
    let base = try ConfigurationFolder(["top.yaml": "seed: 1\nbase: \(pipe)"])
    #expect(base.message("top.yaml").hasPrefix("top.yaml:2: the base \(pipe) cannot be read: is a FIFO"))
  }
}
