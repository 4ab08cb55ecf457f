import Configuration
import DetectionCore
import Testing

@Suite struct OverrideTests {
  private func configuration(_ yaml: String, _ overrides: String...) throws -> ExperimentConfiguration {
    try ExperimentConfiguration(yaml: yaml, name: "c.yaml", overrides: overrides)
  }

  @Test func valuesOfEveryKindAreSet() throws {
    let c = try configuration(
      "train: { steps: 5, batchSize: 7 }", "train.steps=9", "seed=3", "detector.anchors.sizes=[1, 2, 3, 4, 5]",
      "train.output=a=b", "detector.matcher.allowLowQuality=false", "train.initialWeights=null", "input.flip=5e-1")
    #expect(c.train.steps == 9 && c.train.batchSize == 7 && c.seed == 3)
    #expect(c.detector.anchors.sizes == [1, 2, 3, 4, 5] && c.train.output == "a=b")
    #expect(!c.detector.matcher.allowLowQuality && c.train.initialWeights == nil && c.input.flip == 0.5)
  }

  @Test func theLastOverrideHolds() throws {
    #expect(try configuration("seed: 1", "seed=2", "seed=3").seed == 3)
  }

  @Test func strategiesAreSwappedByName() throws {
    let yaml = "sampler: { focal: { gamma: 1, alpha: 0.5 } }"
    #expect(try configuration(yaml, "sampler=none").sampler == StrategyReference("none"))
    #expect(
      try configuration(yaml, "sampler.focal.gamma=4").sampler
        == StrategyReference("focal", parameters: ["gamma": .int(4), "alpha": .double(0.5)]))
    #expect(
      try configuration("sampler: none", "sampler.focal.gamma=4", "sampler.focal.alpha=1").sampler
        == StrategyReference("focal", parameters: ["gamma": .int(4), "alpha": .int(1)]))
    #expect(
      try configuration(yaml, "sampler={ focal: { gamma: 0 } }").sampler
        == StrategyReference("focal", parameters: ["gamma": .int(0)]))
    #expect(
      try configuration(yaml, "sampler.other.bins=30").sampler == StrategyReference("other", parameters: ["bins": .int(30)]),
      "another strategy's parameters replace those that were there")
    #expect(try configuration("", "sampler.focal.gamma=4").sampler.place == "--set sampler.focal.gamma=4")
  }

  @Test(arguments: [
    ("train.stpes=5", #"--set train.stpes=5: unknown key "train.stpes"; valid here: "#),
    ("train.steps=five", #"--set train.steps=five: "train.steps" must be a whole number"#),
    ("train.steps=", #"--set train.steps=: "train.steps" must be a whole number"#),
    ("train.steps.x=5", #"c.yaml:1: is "5", must be a mapping of keys to values to be given some by --set train.steps.x=5"#),
    ("train=5", #"--set train=5: "train" must be a mapping of keys to values"#),
    ("train={steps: 0}", #"--set train={steps: 0}: "train.steps" is 0, must be 1...100000000"#),
    ("detector.backbone.depth=20", #"--set detector.backbone.depth=20: "detector.backbone.depth" is 20, must be one of"#),
    ("seed", "--set seed: must have the form key=value"), ("=5", "--set =5: an empty key"),
    ("train..steps=5", "--set train..steps=5: an empty key"), (".=5", "--set .=5: an empty key"),
    ("seed=[1", "--set seed=[1: is not valid YAML"), ("sampler=[a]", #"--set sampler=[a]: "sampler" must be a name"#),
    ("base=other.yaml", #"--set base=other.yaml: unknown key "base""#),
  ])
  func aMistakeNamesTheOverride(override: String, message: String) {
    let found = configurationMessage("train: { steps: 5 }", overrides: [override])
    #expect(found.hasPrefix(message), "\(found)")
  }

  /// An override gives keys to nothing that has none, so that nobody trains the defaults instead of what the file means.
  @Test(arguments: ["- a\n- b", "hello", "'null'", "[]", "3", "!!seq []"])
  func anOverrideDoesNotReplaceTheRoot(yaml: String) throws {
    for overrides in [[], ["seed=1"], ["data={ name: digit-scenes }"]] {
      #expect(configurationMessage(yaml, overrides: overrides) == "c.yaml:1: a configuration must be a mapping of keys to values")
    }
    let folder = try ConfigurationFolder(["a.yaml": "\n" + yaml, "b.yaml": "base: a.yaml\nseed: 1"])
    for name in ["a.yaml", "b.yaml"] {
      #expect(folder.message(name, overrides: ["seed=1"]) == "a.yaml:2: a configuration must be a mapping of keys to values")
    }
  }

  @Test func anOverrideDoesNotReplaceASection() {
    for value in ["hello", "[1, 2]", "5"] {
      let found = configurationMessage("seed: 1\ntrain: \(value)", overrides: ["train.steps=5"])
      #expect(found.hasPrefix("c.yaml:2: is ") && found.hasSuffix("to be given some by --set train.steps=5"), "\(found)")
    }
    #expect(throws: Never.self) { try configuration("train:\n", "train.steps=5") }
  }
}
