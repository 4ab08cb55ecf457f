import Foundation
import SamplingFree
import TestSupport
import Testing

/// A strategy by kind and name, as a configuration sets it.
struct NamedStrategy: CustomTestStringConvertible {
  let kind: StrategyKind
  let name: String

  var setting: String { "\(kind == .regressionLoss ? "loss.regression" : kind.rawValue)=\(name)" }
  var testDescription: String { setting }

  static let all = StrategyKind.allCases.flatMap { kind in
    StrategyRegistry.standard.descriptions(of: kind).map { NamedStrategy(kind: kind, name: $0.name) }
  }
  /// That make the losses. No closure is written in an attribute: it crashes the compiler of Swift 6.0.
  static let ofLosses = all.filter { $0.kind == .sampler || $0.kind == .regressionLoss }
}

/// Each strategy of the package by its name alone, in a run with everything else at its default.
@Suite(.serialized) struct EveryStrategyTests {
  init() { useThreads(1) }

  /// A run that stops in the middle and goes on ends with the bytes of one that did not: whatever a strategy learns on the
  /// way, such as the bins of GHM or learnt variances, is in the checkpoint.
  @Test(arguments: NamedStrategy.all) func trainsAndResumes(strategy: NamedStrategy) throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    func configuration(steps: Int) throws -> ExperimentConfiguration {
      try TinyExperiment.configuration(
        output: folder.path, strategy.setting, "data.trainCount=4", "data.validationCount=2", "train.decaySteps=[]",
        "train.steps=\(steps)")
    }
    let notes = Notes()
    try TinyExperiment.train(configuration(steps: 4), observer: notes)
    #expect(notes.reports.count == 4 && notes.reports.allSatisfy { $0.loss.isFinite })
    let whole = try ResumeTests.results(of: folder)

    try TinyExperiment.train(configuration(steps: 2))
    try TinyExperiment.train(configuration(steps: 4), start: .resuming)
    #expect(try ResumeTests.results(of: folder) == whole)
  }
}
