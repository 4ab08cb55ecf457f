import Foundation
import SamplingFree
import Testing

@Suite struct PlanTests {
  let bench: Bench

  init() throws { bench = try Bench() }

  @Test func itIsTheCrossProductOfAllAxesWithEverySeed() throws {
    let plan = try bench.plan("sampler=none,focal", "train.steps=2,3,4", seeds: [5, 7])
    #expect(plan.variants.map(\.labels) == [["none", "2"], ["none", "3"], ["none", "4"], ["focal", "2"], ["focal", "3"], ["focal", "4"]])
    let runs = plan.runs(in: "x")
    #expect(runs.map(\.seed) == [Int](repeating: 5, count: 6) + [Int](repeating: 7, count: 6))
    #expect(runs.map(\.variant) == Array(0..<6) + Array(0..<6))
    #expect(runs.allSatisfy { $0.configuration.seed == $0.seed })
    #expect(runs[8].configuration.sampler == StrategyReference("none") && runs[8].configuration.train.steps == 4)
    #expect(Set(runs.map(\.configuration.train.output)).count == 12)
    #expect(runs[8].configuration.train.output == "x/runs/sampler=none+train.steps=4/seed-7")
  }

  @Test func valuesMayCarryParametersListsAndQuotes() throws {
    let plan = try bench.plan("sampler=none,{focal: {gamma: 2, alpha: 0.5}}", "input.mean=[0,0,0],[1, 1, 1]", "thresholder='fixed',\"class-adaptive\"")
    #expect(plan.variants.count == 8)
    #expect(plan.variants[4].labels == ["focal: {gamma: 2, alpha: 0.5}", "[0,0,0]", "'fixed'"])
    #expect(plan.variants[4].configuration.sampler == StrategyReference("focal", parameters: ["gamma": .int(2), "alpha": .double(0.5)]))
    #expect(plan.variants[7].configuration.input.mean == [1, 1, 1])
    #expect(plan.variants[7].configuration.thresholder == StrategyReference("class-adaptive"))
  }

  @Test func aVariantChangesSeveralKeysAtOnceAndAStrategyWhole() throws {
    let variants = try ComparisonAxis(variants: [
      "sampling-free: {}",
      "heuristics: {sampler: focal, lossScaler: unscaled, train.steps: 9, train: {batchSize: 3}}",
    ])
    let plan = try ComparisonPlan(
      path: bench.configuration, overrides: ["sampler={focal: {gamma: 1}}"], axes: [variants], seeds: [0])
    #expect(plan.variants[0].configuration.sampler.parameters == ["gamma": .int(1)])
    let heuristics = plan.variants[1].configuration
    #expect(heuristics.sampler == StrategyReference("focal") && heuristics.lossScaler == StrategyReference("unscaled"))
    #expect(heuristics.train.steps == 9 && heuristics.train.batchSize == 3 && heuristics.train.warmupSteps == 2)
    #expect(plan.name(of: 1) == "heuristics" && plan.variants[1].folder == "heuristics")
  }

  @Test func foldersAreSafeAndTellNamesApart() throws {
    let plan = try ComparisonPlan(
      path: bench.configuration,
      axes: [ComparisonAxis(variants: ["a/b: {train.steps: 1}", "a?b: {train.steps: 2}", "..: {train.steps: 3}", "ä: {train.steps: 5}"])],
      seeds: [0])
    let folders = plan.variants.map(\.folder)
    #expect(Set(folders).count == 4)
    for folder in folders { #expect(folder.wholeMatch(of: /[A-Za-z0-9=+._-]*-[0-9a-f]{8}/) != nil, "\(folder)") }
  }

  @Test(arguments: [
    (["sampler"], "--vary sampler: must be key=value,value,..."),
    (["=none"], "--vary =none: must be key=value,value,..."),
    (["sam pler=none"], "--vary sam pler=none: \"sam pler\" is no configuration key"),
    (["sampler=none,,focal"], "--vary sampler=none,,focal: a value is empty"),
    (["sampler=none,none"], "--vary sampler=none,none: \"none\" stands twice"),
    (["sampler=none", "sampler=focal"], "--vary sampler: the key is varied twice"),
    (["seed=1,2"], "--vary seed=1,2: seeds are shared by all variants; name them with --seeds"),
    (["train.output=a,b"], "--vary train.output=a,b: every run has a folder of its own below --output"),
    (["smapler=none"], "did you mean \"sampler\"?"),
    (["train.steps=4,x"], "--vary train.steps=x: \"train.steps\" must be a whole number"),
    (["train.steps=4,4.0"], "must be a whole number"),
    (["sampler={focal: {gamma: 2}"], "is not valid YAML"),
    ([], "a comparison varies something: give --vary or --variant"),
  ])
  func mistakesAreNamed(vary: [String], message: String) throws {
    #expect {
      try ComparisonPlan(
        path: bench.configuration, axes: vary.map { try ComparisonAxis(vary: $0) }, seeds: [0])
    } throws: { "\($0)".contains(message) }
  }

  @Test(arguments: ["a", "a {sampler: none}", ": {sampler: none}", "a: none"]) func aVariantNeedsNameAndMapping(option: String) {
    #expect { try ComparisonAxis(variants: [option]) } throws: { "\($0)".hasSuffix("must be name: {key: value, ...}") }
  }

  @Test(arguments: [[], [0, 0], [-1]]) func seedsAreDifferentNumbersFromZeroOn(seeds: [Int]) throws {
    #expect { try bench.plan("sampler=none,focal", seeds: seeds) } throws: { "\($0)".hasPrefix("--seeds must name") }
  }

  @Test func variantsThatAreTheSameAreRefused() throws {
    let twins = try ComparisonAxis(variants: ["a: {sampler: none}", "b: {}"])
    #expect { try ComparisonPlan(path: bench.configuration, axes: [twins], seeds: [0]) } throws: {
      "\($0)".hasPrefix("a and b come to the same configuration")
    }
  }

  @Test func anUnknownStrategyStopsBeforeAnythingIsTrained() throws {
    let plan = try bench.plan("sampler=none,fokal")
    #expect { try bench.run(plan) } throws: { "\($0)".contains("sampler=fokal: no sampler \"fokal\"") }
    #expect(!FileManager.default.fileExists(atPath: bench.output))
  }
}
