import Configuration
import DetectionCore
import Testing

/// Values as YAML 1.2's core schema has them, which differ from YAML 1.1's where a slip is likely.
@Suite struct CoreSchemaTests {
  private func configuration(_ yaml: String) throws -> ExperimentConfiguration {
    try ExperimentConfiguration(yaml: yaml, name: "c.yaml")
  }

  @Test(arguments: [
    ("2", 2), ("+2", 2), ("010", 10), ("0008", 8), ("0o10", 8), ("0o2", 2), ("0x10", 16), ("0xfF", 255), ("!!int 3", 3), ("!!int '3'", 3),
  ])
  func wholeNumbers(text: String, value: Int) throws {
    #expect(try configuration("seed: \(text)").seed == value)
  }

  @Test(arguments: [
    "1_0", "0b11", "1:30", "0o8", "0x", "0xg", "-0x1", "+0o7", "2.0", "1e0", "'2'", "\"2\"", "!!str 3", "! 3", "yes", "~", "", "١",
    "99999999999999999999", "0xffffffffffffffffff", "1 000", "2019-01-01", "|\n  3", "0 # c\n  1",
  ])
  func whatIsNoWholeNumber(text: String) {
    let found = configurationMessage("data: {}\nseed: \(text)")
    #expect(found.hasPrefix("c.yaml:") && found != "no error", "\(found)")
  }

  @Test(arguments: [
    ("0.5", 0.5), (".5", 0.5), ("5.", 5), ("1e-3", 0.001), ("1E+0", 1), ("+1.5e1", 15), ("3", 3), ("0x10", 16), ("0o10", 8), ("010", 10),
    ("!!float 3", 3), ("!!float '.5'", 0.5), ("010.5", 10.5),
  ])
  func numbers(text: String, value: Float) throws {
    #expect(try configuration("train: { learningRate: \(text) }").train.learningRate == value)
  }

  @Test(arguments: [
    "1:30", "0x1p-8", "0.00_5", "0,5", "1e", "e5", ".", "+", "-.", ".inf", "-.INF", ".nan", "inf", "nan", "'0.5'", "1.5f", "!!str 1", "Infinity",
  ])
  func whatIsNoNumber(text: String) {
    let found = configurationMessage("train:\n  learningRate: \(text)")
    #expect(found.hasPrefix("c.yaml:2: "), "\(found)")
  }

  @Test(arguments: [("true", true), ("True", true), ("TRUE", true), ("false", false), ("FALSE", false), ("!!bool 'false'", false)])
  func truth(text: String, value: Bool) throws {
    #expect(try configuration("detector: { anchors: { wholeSides: \(text) } }").detector.anchors.wholeSides == value)
  }

  @Test(arguments: ["yes", "no", "on", "off", "y", "n", "tRUE", "1", "'true'", "~", "!!str true"])
  func whatIsNoTruth(text: String) {
    let found = configurationMessage("detector:\n  anchors:\n    wholeSides: \(text)")
    #expect(found == #"c.yaml:3: "detector.anchors.wholeSides" must be true or false"#, "\(found)")
  }

  @Test(arguments: [("no", "no"), ("'null'", "null"), ("0o7", "0o7"), ("!!str ~", "~"), ("1:30", "1:30"), ("\"a\\tb\"", "a\tb")])
  func textsAreAsWritten(text: String, value: String) throws {
    #expect(try configuration("train: { output: \(text), initialWeights: \(text) }").train.output == value)
    #expect(try configuration("train: { initialWeights: \(text) }").train.initialWeights == value)
  }

  @Test(arguments: ["null", "Null", "~", ""])
  func nullIsNoText(text: String) throws {
    #expect(try configuration("train: { initialWeights: \(text) }").train.initialWeights == nil)
  }

  @Test func parametersOfStrategiesFollowTheSchemaToo() throws {
    let parameters = try configuration("sampler: { x: { a: 010, b: 0o10, c: yes, d: '1', e: 1e3, f: ~, g: true, h: 1_0, i: [0x10, 1:30] } }").sampler.parameters
    #expect(parameters["a"] == .int(10) && parameters["b"] == .int(8) && parameters["c"] == .string("yes"))
    #expect(parameters["d"] == .string("1") && parameters["e"] == .double(1000) && parameters["f"] == .null)
    #expect(parameters["g"] == .bool(true) && parameters["h"] == .string("1_0"))
    #expect(parameters["i"] == .list([.int(16), .string("1:30")]))
  }

  @Test(arguments: [
    ("seed: !!binary aGVsbG8=", "tag:yaml.org,2002:binary"), ("seed: !mine 3", "!mine"), ("train: !!python/object/apply:os.system ['echo']", "python/object"),
    ("train: !!omap []", "omap"), ("data: !!set { name: digit-scenes }", "set"), ("seed: !!int x", "int"), ("seed: !!null 3", "null"),
  ])
  func tagsOfOtherSchemasAreRefused(yaml: String, tag: String) {
    let found = configurationMessage(yaml)
    #expect(found.hasPrefix("c.yaml:1: ") && found.contains(tag) && found.contains("supported"), "\(found)")
  }

  @Test func aKeyIsThereOnceHoweverItIsWritten() {
    for second in ["seed", "'seed'", "\"seed\"", "!!str seed", "? seed\n"] {
      let found = configurationMessage("seed: 1\n\(second): 2")
      #expect(found.contains("the key \"seed\" is there twice"), "\(found)")
    }
  }

  @Test func byteOrderMarksAndWindowsLinesAreNoMistakes() throws {
    let folder = try ConfigurationFolder(["a.yaml": "\u{FEFF}seed: 5\r\ntrain:\r\n  steps: 7\r\n"])
    let c = try folder.load("a.yaml")
    #expect(c.seed == 5 && c.train.steps == 7)
    let broken = try ConfigurationFolder(["a.yaml": "seed: 5\r\ntrain:\r\n  stps: 7\r\n"])
    #expect(broken.message("a.yaml").hasPrefix("a.yaml:3: unknown key"))
  }
}
