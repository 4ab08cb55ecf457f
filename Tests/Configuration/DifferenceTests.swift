import Configuration
import DetectionCore
import Testing

@Suite struct DifferenceTests {
  private func configuration(_ overrides: String...) throws -> ExperimentConfiguration {
    try ExperimentConfiguration(yaml: "seed: 1", name: "c.yaml", overrides: overrides)
  }

  @Test func differencesNameKeyAndBothValues() throws {
    let old = try configuration("train.learningRate=0.1", "data={ name: digit-scenes, size: 64 }")
    let new = try configuration("train.learningRate=0.2", "data.name=tree-crowns", "sampler.focal.gamma=1", "seed=2")
    #expect(new.differences(from: old).map(\.description) == [
      "seed: 1 -> 2", #"data.name: "digit-scenes" -> "tree-crowns""#, #"sampler: "none" -> { "focal": { "gamma": 1 } }"#,
      "train.learningRate: 0.1 -> 0.2", "data.trainCount: 2000 -> none", "data.validationCount: 200 -> none", "data.size: 64 -> none",
    ])
    #expect(new.differences(from: new).isEmpty)
  }

  @Test func whatAProgramWroteIsToldFromWhatAPersonWrote() throws {
    let configurations = try [
      ExperimentConfiguration(), configuration("sampler.focal.gamma=1", "train.output='a: b'"), configuration("precision=bf16", "plugins=[/x.so]"),
      configuration("input={ shorterSide: 300, longerSide: 500 }", "data.name=tree-crowns"),
    ]
    for yaml in configurations.map(\.yaml) {
      #expect(ExperimentConfiguration.isCanonical(yaml))
      // An earlier version knew fewer keys.
      #expect(ExperimentConfiguration.isCanonical(yaml.replacing("  accumulate: 1\n", with: "")))
      for text in ["# mine\n" + yaml, yaml.replacing("seed: ", with: "seed:  "), yaml + "sampeler: none\n", yaml.replacing("steps", with: "stps")] {
        #expect(!ExperimentConfiguration.isCanonical(text))
      }
    }
    for text in ["", "seed: 0\n", "seed: 0\ntrain:\n  steps: 1000\n", "text", "- a\n", "\u{0}", "seed: 0\ndata:\n  name: \"digit-scenes\"\n"] {
      #expect(!ExperimentConfiguration.isCanonical(text))
    }
  }
}
