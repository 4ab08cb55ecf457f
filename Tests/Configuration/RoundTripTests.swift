import Configuration
import DetectionCore
import Testing

@Suite struct RoundTripTests {
  private func expectRoundTrip(_ configuration: ExperimentConfiguration) throws {
    let again = try ExperimentConfiguration(yaml: configuration.yaml, name: "emitted")
    #expect(again == configuration)
    #expect(again.yaml == configuration.yaml)
  }

  @Test func theDefaultsAreAnEmptyFile() throws {
    let empty = try ExperimentConfiguration(yaml: "", name: "c.yaml")
    #expect(empty == ExperimentConfiguration())
    #expect(try ExperimentConfiguration(yaml: "# nothing\ntrain:\n", name: "c.yaml") == empty)
    try expectRoundTrip(empty)
  }

  @Test func everyKeyIsEmitted() throws {
    let detector = """
      detector:
        backbone: { depth: 101, width: 32, stem: small, normalization: group, groups: 4 }
        pyramid: { channels: 48, minLevel: 2, maxLevel: 6, extraLevels: c5 }
        head: { convolutions: 0, channels: 7, normalization: group, groups: 7 }
        anchors: { sizes: [8, 16.5, 32, 64, 1e-3], scales: [1], aspectRatios: [0.25, 4] }
        matcher: { foreground: 0.7, background: 0.3, allowLowQuality: false }
        boxWeights: [1, 2, 3, 4]
        postProcess: { nms: 0.55, candidatesPerLevel: 10, maximumDetections: 3 }
      """
    var c = try ExperimentConfiguration(yaml: detector, name: "c.yaml")
    #expect(c.detector.backbone.depth == 101 && c.detector.pyramid.extraLevels == .c5 && c.detector.head.groups == 7)
    #expect(c.detector.anchors.sizes == [8, 16.5, 32, 64, 1e-3] && !c.detector.matcher.allowLowQuality)
    #expect(c.detector.boxWeights == [1, 2, 3, 4] && c.detector.postProcess.maximumDetections == 3)
    c.seed = 99
    c.precision = .bf16
    c.data.name = .coco
    (c.data.trainAnnotations, c.data.trainImages) = ("a b/\"x\".json", "C:\\images # 1")
    (c.data.validationAnnotations, c.data.validationImages) = ("größe: 1", "")
    c.input.width = nil
    c.input.height = nil
    (c.input.shorterSide, c.input.longerSide, c.input.flip) = (800, 1333, 0.5)
    (c.input.mean, c.input.standardDeviation) = ([0.1, 0.2, 0.3], [1e-5, 1, 0.333_333_34])
    c.sampler = StrategyReference("focal", parameters: ["gamma": .double(1e-7), "alpha": .int(1)])
    c.lossScaler = StrategyReference("unscaled")
    c.train.steps = 12
    c.train.batchSize = 3
    (c.train.learningRate, c.train.momentum, c.train.weightDecay) = (1e-10, 0, 0.1)
    (c.train.warmupSteps, c.train.warmupFactor) = (0, 1)
    (c.train.decaySteps, c.train.decayFactor, c.train.clipNorm) = ([5, 9], 0.5, 35.5)
    (c.train.evaluateEvery, c.train.checkpointEvery, c.train.logEvery) = (4, 5, 6)
    (c.train.output, c.train.initialWeights) = ("~/runs/null", "true")
    try expectRoundTrip(c)
  }

  /// Every kind of value that a strategy's parameter may have; texts that look like other things stay texts.
  @Test(arguments: [
    ParameterValue.null, .bool(true), .bool(false), .int(0), .int(-7), .int(.max), .int(.min), .double(0.1), .double(-2),
    .double(1e300), .double(.leastNonzeroMagnitude), .double(.infinity), .double(-.infinity), .string(""), .string("2"), .string("0.5"),
    .string("true"), .string("null"), .string("~"), .string("a\nb\t\"c\" \\ ü # x: y"), .string("\u{1}\u{7f}\u{85}"), .string("\u{2028} \u{2029}\u{FEFF}"),
    .string("[1]"), .string("2020-01-01"), .list([]), .list([.int(1), .string("a"), .list([.null])]), .map([:]),
    .map(["a": .int(1), "b c": .map(["d": .bool(true)])]),
  ])
  func parametersKeepTheirTypes(value: ParameterValue) throws {
    var configuration = ExperimentConfiguration()
    configuration.sampler = StrategyReference("some", parameters: ["p": value])
    try expectRoundTrip(configuration)
  }

  @Test func aStrategyIsANameOrANameWithParameters() throws {
    func sampler(_ yaml: String) throws -> StrategyReference {
      try ExperimentConfiguration(yaml: "sampler: \(yaml)", name: "c.yaml").sampler
    }
    #expect(try sampler("none") == StrategyReference("none"))
    #expect(try sampler("{ none: }") == StrategyReference("none"))
    #expect(try sampler("{ focal: {} }") == StrategyReference("focal"))
    #expect(try sampler("{ focal: { gamma: 1.5, mode: fast } }")
      == StrategyReference("focal", parameters: ["gamma": .double(1.5), "mode": .string("fast")]))
    #expect(try sampler("\n  focal:\n    gamma: 2 # squared") == StrategyReference("focal", parameters: ["gamma": .int(2)]))
  }

  @Test func strategiesKnowTheirPlace() throws {
    let configuration = try ExperimentConfiguration(yaml: "seed: 1\nsampler:\n  focal: { gamma: 2 }\nbias: optimal\n", name: "c.yaml")
    #expect(configuration.sampler.place == "c.yaml:2" && configuration.bias.place == "c.yaml:4")
    #expect(configuration.lossScaler.place == nil)
  }
}
