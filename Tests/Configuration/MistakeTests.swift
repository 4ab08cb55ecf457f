import Configuration
import Testing

/// Every kind of mistake names file, line and key, and what would be right.
@Suite struct MistakeTests {
  @Test(arguments: [
    // Unknown keys, at every depth.
    ("seed: 1\nsampeler: none", #"c.yaml:2: unknown key "sampeler"; valid here: bias, data, detector, input, loss, lossScaler, plugins, precision, sampler, seed, thresholder, train; did you mean "sampler"?"#),
    ("train:\n  batchsize: 4", #"c.yaml:2: unknown key "train.batchsize"; valid here: "#),
    ("detector:\n  backbone:\n    dept: 18", #"c.yaml:3: unknown key "detector.backbone.dept"; valid here: bottleneckStride, convolutionBias, depth, epsilon, firstProjection, groups, normalization, poolPadding, stem, stemPadding, width; did you mean "depth"?"#),
    ("detector: { head: { zzzzzzzzzz: 18 } }", #"c.yaml:1: unknown key "detector.head.zzzzzzzzzz"; valid here: channels, convolutions, groups, "#),
    ("base: x.yaml", #"c.yaml:1: unknown key "base""#),
    // Values of another type.
    ("train:\n  steps: many", #"c.yaml:2: "train.steps" must be a whole number"#),
    ("train:\n  steps: 10.5", #"c.yaml:2: "train.steps" must be a whole number"#),
    ("train:\n  steps: \"10\"", #"c.yaml:2: "train.steps" must be a whole number"#),
    ("train:\n  steps: [10]", #"c.yaml:2: "train.steps" must be a whole number"#),
    ("train:\n  steps: 99999999999999999999", #"c.yaml:2: "train.steps" must be a whole number"#),
    ("train:\n\n  learningRate: fast", #"c.yaml:3: "train.learningRate" must be a number"#),
    ("train:\n  learningRate: .nan", #"c.yaml:2: "train.learningRate" is nan, must be 0.0...100.0"#),
    ("train:\n  output: [a]", #"c.yaml:2: "train.output" must be a text"#),
    ("detector:\n  matcher:\n    allowLowQuality: maybe", #"c.yaml:3: "detector.matcher.allowLowQuality" must be true or false"#),
    ("input:\n  mean: 0.5", #"c.yaml:2: "input.mean" must be a list of numbers"#),
    ("input:\n  mean: [0.5, 0.5]", #"c.yaml:2: "input.mean" has 2 numbers, must have 3"#),
    ("input:\n  mean: [0.5, x, 0.5]", #"c.yaml:2: "input.mean" must be a number"#),
    ("train:\n  decaySteps: [1, 2.5]", #"c.yaml:2: "train.decaySteps" must hold whole numbers"#),
    ("train:\n  decaySteps: 5", #"c.yaml:2: "train.decaySteps" must be a list of whole numbers"#),
    ("train: 5", #"c.yaml:1: "train" must be a mapping of keys to values"#),
    ("- a\n- b", "c.yaml:1: a configuration must be a mapping of keys to values"),
    ("text", "c.yaml:1: a configuration must be a mapping of keys to values"),
    // Values out of range.
    ("train:\n  steps: 0", #"c.yaml:2: "train.steps" is 0, must be 1...100000000"#),
    ("seed: -1", #"c.yaml:1: "seed" is -1, must be at least 0"#),
    ("train:\n  momentum: 1.5", #"c.yaml:2: "train.momentum" is 1.5, must be 0.0...1.0"#),
    ("train:\n  clipNorm: -1", #"c.yaml:2: "train.clipNorm" is -1.0, must be at least 0.0"#),
    ("train:\n  clipNorm: .inf", #"c.yaml:2: "train.clipNorm" is inf, must be at least 0.0"#),
    ("detector:\n  backbone:\n    depth: 51", #"c.yaml:3: "detector.backbone.depth" is 51, must be one of 18, 34, 50, 101, 152"#),
    // Names that are none of the choices.
    ("data:\n  name: digit-scene", #"c.yaml:2: "data.name" is "digit-scene", must be one of digit-scenes, tree-crowns, coco; did you mean "digit-scenes"?"#),
    ("detector:\n  backbone:\n    normalization: bach", #"c.yaml:3: "detector.backbone.normalization" is "bach", must be one of frozenBatch, batch, group; did you mean "batch"?"#),
    // Values that do not go together.
    ("data:\n  name: coco\n  trainAnnotations: a.json", #"c.yaml:1: "data" is coco and needs "data.trainImages""#),
    ("input:\n  width: 100", #"c.yaml:1: "input" must have either width and height, or shorterSide and longerSide"#),
    ("input: { width: 1, height: 1, shorterSide: 1, longerSide: 1 }", #"c.yaml:1: "input" must have either"#),
    ("detector:\n  anchors:\n    sizes: [1, 2]", #"c.yaml:3: "detector.anchors.sizes" has 2 sizes for the levels 3...7; one each is needed"#),
    ("detector:\n  pyramid: { maxLevel: 6 }", #"c.yaml:1: "detector.anchors.sizes" has 5 sizes for the levels 3...6"#),
    ("detector:\n  anchors: { scales: [] }", #"c.yaml:2: "detector.anchors" must have at least one of scales and of aspectRatios"#),
    ("detector:\n  matcher:\n    background: 0.6", #"c.yaml:3: "detector.matcher.background" is 0.6, must not lie above foreground, 0.5"#),
    // Strategies of no valid form; their names and parameters are the registry's business.
    ("sampler: [none]", #"c.yaml:1: "sampler" must be a name, or a name with its parameters"#),
    ("sampler: { focal: { gamma: 2 }, none: {} }", #"c.yaml:1: "sampler" must be a name, or a name with its parameters"#),
    ("sampler: {}", #"c.yaml:1: "sampler" must be a name, or a name with its parameters"#),
    ("sampler:\n  focal: 2", #"c.yaml:2: "sampler" must map "focal" to its parameters"#),
    ("sampler:", #"c.yaml:1: "sampler" must be a name, or a name with its parameters"#),
    // No YAML.
    ("train:\n  steps: 1\n steps: 2", "c.yaml:3: is not valid YAML: did not find expected key"),
    ("a: [1, 2", "c.yaml:2: is not valid YAML: did not find expected ',' or ']'"),
    ("seed: 1\ntrain:\n\tsteps: 2", "c.yaml:3: is not valid YAML: found character that cannot start any token"),
    ("seed: 1\nseed: 2", #"c.yaml:1: is not valid YAML: the key "seed" is there twice"#),
    ("seed: 1\n---\nseed: 2", "c.yaml:2: is not valid YAML: but found another document expected a single document"),
    ("seed: 1\ntrain: \u{1}", "c.yaml:2: is not valid YAML: control characters are not allowed"),
    ("? [a]\n: 1", "c.yaml:1: keys must be names"),
  ])
  func aMistakeIsNamed(yaml: String, message: String) {
    let found = configurationMessage(yaml)
    #expect(found.hasPrefix(message), "\(found)")
  }

  @Test func aMistakeInABaseNamesTheBase() throws {
    let folder = try ConfigurationFolder([
      "base.yaml": "train:\n  steps: none\n", "top.yaml": "base: base.yaml\nseed: 1\n", "good.yaml": "base: base.yaml\ntrain: { steps: 5 }\n",
    ])
    #expect(folder.message("top.yaml") == #"base.yaml:2: "train.steps" must be a whole number"#)
    #expect(try folder.load("good.yaml").train.steps == 5, "what is replaced does not matter")
  }

  @Test func aMissingFileNamesANearOne() throws {
    let folder = try ConfigurationFolder(["retina.yaml": "seed: 1", "top.yaml": "\nbase: retna.yaml"])
    #expect(folder.message("retnia.yaml") == #"retnia.yaml cannot be read: No such file or directory; did you mean "retina.yaml"?"#)
    #expect(folder.message("top.yaml") == #"top.yaml:2: the base retna.yaml cannot be read: No such file or directory; did you mean "retina.yaml"?"#)
    #expect(folder.message("") .hasSuffix("cannot be read: is a folder, not an ordinary file"))
  }
}
