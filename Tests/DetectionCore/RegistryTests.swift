import DetectionCore
import Testing

private struct Plain: LossScaler {
  static let name = "plain"
  static let summary = "w = 1"
  static let source = "a test"
  init(parameters: inout ParameterReader) throws {}
  mutating func scales(classification: Float, regression: Float) -> LossScales { LossScales(classification: 1) }
}

private enum Mode: String, CaseIterable { case mean, median }

private struct Tunable: LossScaler {
  static let name = "tunable"
  static let summary = "w = factor"
  static let source = "a test"
  static let parameters = [
    ParameterDescription("factor", default: "2", "0...10"), ParameterDescription("bins", default: "30", "1...100"),
    ParameterDescription("mode", default: "mean", "mean or median"),
  ]
  let factor: Float
  let bins: Int
  let mode: Mode
  init(parameters: inout ParameterReader) throws {
    factor = try parameters.float("factor", default: 2, in: 0...10)
    bins = try parameters.int("bins", default: 30, in: 1...100)
    mode = try parameters.choice("mode", default: .mean)
  }
  mutating func scales(classification: Float, regression: Float) -> LossScales { LossScales(classification: factor) }
}

private struct Fixed: Thresholder {
  static let name = "plain"
  static let summary = "0.5"
  static let source = "a test"
  init(parameters: inout ParameterReader) throws {}
  func thresholds(for statistics: TrainingStatistics) -> [Float] { [0.5] }
}

@Suite struct RegistryTests {
  private var registry: StrategyRegistry {
    var registry = StrategyRegistry()
    registry.register(Plain.self)
    registry.register(Tunable.self)
    registry.register(Fixed.self)
    return registry
  }

  private func tunable(_ parameters: [String: ParameterValue]) throws -> Tunable {
    try #require(registry.makeLossScaler(StrategyReference("tunable", parameters: parameters)) as? Tunable)
  }

  private func message(_ name: String, _ parameters: [String: ParameterValue] = [:], place: String? = nil) -> String {
    do {
      _ = try registry.makeLossScaler(StrategyReference(name, parameters: parameters, place: place))
      return ""
    } catch { return "\(error)" }
  }

  @Test func parametersHaveTheirTypesAndDefaults() throws {
    let plain = try tunable([:])
    #expect(plain.factor == 2 && plain.bins == 30 && plain.mode == .mean)
    let set = try tunable(["factor": .double(0.5), "bins": .int(7), "mode": .string("median")])
    #expect(set.factor == 0.5 && set.bins == 7 && set.mode == .median)
    #expect(try tunable(["factor": .int(3)]).factor == 3, "a whole number is a number")
  }

  @Test func namesAreOfAKind() throws {
    #expect(try registry.makeLossScaler(StrategyReference("plain")) is Plain)
    #expect(try registry.makeThresholder(StrategyReference("plain")) is Fixed)
    #expect(throws: StrategyError.self) { try registry.makeThresholder(StrategyReference("tunable")) }
    #expect(throws: StrategyError.self) { try registry.makeSampler(StrategyReference("plain")) }
  }

  @Test func anUnknownNameListsTheValidOnes() {
    #expect(message("tunabel") == #"no lossScaler "tunabel"; there are plain, tunable; did you mean "tunable"?"#)
    #expect(message("zzzzzzzzzz") == #"no lossScaler "zzzzzzzzzz"; there are plain, tunable"#)
  }

  @Test func anUnknownParameterListsTheValidOnes() {
    #expect(
      message("tunable", ["facto": .int(1)])
        == #"lossScaler "tunable" has no parameter "facto"; it takes factor, bins, mode; did you mean "factor"?"#)
    #expect(message("plain", ["factor": .int(1)]) == #"lossScaler "plain" has no parameter "factor"; it takes none"#)
  }

  @Test func errorsNameThePlace() {
    #expect(message("tunable", ["factor": .int(11)], place: "a.yaml:3").hasPrefix(#"a.yaml:3: lossScaler "tunable": parameter "factor""#))
    #expect(StrategyReference("a", place: "x") == StrategyReference("a", place: "y"))
    #expect(Set([StrategyReference("a", place: "x"), StrategyReference("a")]).count == 1)
  }

  @Test(arguments: [
    ("factor", ParameterValue.string("two"), #"must be a number, not "two""#),
    ("factor", .bool(true), "must be a number, not true"),
    ("factor", .null, "must be a number, not null"),
    ("factor", .list([.int(1), .double(2.5)]), "must be a number, not [1, 2.5]"),
    ("factor", .map(["a": .string("b")]), #"must be a number, not { "a": "b" }"#),
    ("factor", .double(10.5), "is 10.5, must lie in 0.0...10.0"),
    ("factor", .double(.nan), "is nan, must lie in 0.0...10.0"),
    ("factor", .double(1e300), "is inf, must lie in 0.0...10.0"),
    ("bins", .double(3.5), "must be a whole number, not 3.5"),
    ("bins", .int(0), "is 0, must lie in 1...100"),
    ("bins", .int(.max), "is 9223372036854775807, must lie in 1...100"),
    ("mode", .string("medium"), #"is "medium", must be one of mean, median; did you mean "median"?"#),
    ("mode", .int(1), "must be a name, not 1"),
  ])
  func aWrongValueIsNamed(key: String, value: ParameterValue, problem: String) {
    #expect(message("tunable", [key: value]) == "lossScaler \"tunable\": parameter \"\(key)\" \(problem)")
  }

  @Test func listingsAreByName() {
    let listed = registry.descriptions(of: .lossScaler)
    #expect(listed.map(\.name) == ["plain", "tunable"])
    #expect(listed[1].parameters.map(\.name) == ["factor", "bins", "mode"] && listed[1].summary == "w = factor")
    #expect(registry.descriptions(of: .sampler).isEmpty)
  }

  @Test func aSecondStrategyOfANameReplacesTheFirst() throws {
    struct Other: LossScaler {
      static let name = "plain"
      static let summary = "w = 2"
      static let source = "a test"
      init(parameters: inout ParameterReader) throws {}
      mutating func scales(classification: Float, regression: Float) -> LossScales { LossScales(classification: 2) }
    }
    var registry = registry
    registry.register(Other.self)
    #expect(try registry.makeLossScaler(StrategyReference("plain")) is Other)
    #expect(registry.descriptions(of: .lossScaler).count == 2)
  }
}
