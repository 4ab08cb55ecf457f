import Foundation
import PluginFixture
import SamplingFree
import TestSupport
import Testing

/// Plugins in the command: one copy of DetectionCore, conformances that hold on both sides, training that runs.
@Suite struct LoadedPluginTests {
  let workshop: Workshop
  let plugin: String

  init() throws {
    workshop = try Workshop()
    plugin = try workshop.write(Workshop.fixture(), to: "libFixture.so")
  }

  private func yaml(_ extra: String = "") -> String {
    """
    seed: 3
    data: { name: digit-scenes, trainCount: 12, validationCount: 4, size: 64 }
    input: { width: 64, height: 64 }
    detector:
      backbone: { depth: 18, width: 4, stem: small, normalization: batch }
      pyramid: { channels: 8, minLevel: 3, maxLevel: 5 }
      head: { convolutions: 1, channels: 8 }
      anchors: { sizes: [10, 16, 28], aspectRatios: [1] }
    sampler: { fixture-flat: { weight: 0.5 } }
    lossScaler: fixture-mean
    bias: fixture-frequency
    thresholder: fixture-constant
    train: { steps: 4, batchSize: 2, learningRate: 0.01, warmupSteps: 2, checkpointEvery: 2, output: run }
    \(extra)
    """
  }

  /// The configuration names the plugin relative to itself.
  private func trainedRun() throws -> String {
    let folder = workshop.folder.appendingPathComponent("configurations")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(yaml("plugins: [../libFixture.so]").utf8).write(to: folder.appendingPathComponent("c.yaml"))
    let result = try workshop.command("train", "configurations/c.yaml")
    try #require(result.status == 0, "\(result.error)")
    return workshop.path("run")
  }

  @Test func itsStrategiesAreListed() throws {
    let result = try workshop.command("strategies", "--plugin", "libFixture.so", "--plugin", plugin)
    #expect(result.status == 0, "\(result.error)")
    for name in ["fixture-flat", "fixture-mean", "fixture-constant", "fixture-frequency", "focal"] {
      #expect(result.output.components(separatedBy: "  \(name)  ").count == 2, "\(name) once in \(result.output)")
    }
  }

  @Test func itTrainsAsTheSameStrategiesLinkedInDo() throws {
    let weights = try WeightsFile.readCheckpoint("\(trainedRun())/checkpoint.h5")
    #expect(weights.training["lossScaler/mean"]?.last == 4)

    useThreads(ProcessInfo.processInfo.activeProcessorCount)  // as the command did; another test may have set fewer
    var registry = StrategyRegistry.standard
    registerFixtures(in: &registry)
    var configuration = try ExperimentConfiguration(yaml: yaml(), name: "linked")
    configuration.train.output = workshop.path("linked")
    var observer = Silence()
    var trainer = try Trainer(configuration, registry: registry, observer: &observer)
    _ = try trainer.run(observer: &observer)
    let linked = try WeightsFile.readCheckpoint(workshop.path("linked/checkpoint.h5"))
    #expect(linked.weights.tensors == weights.weights.tensors)
    #expect(linked.training == weights.training)
  }

  @Test func theSavedConfigurationNamesItInFullAndWeightsByNameOnly() throws {
    let run = try trainedRun()
    let saved = try ExperimentConfiguration.load("\(run)/config.yaml")
    #expect(saved.plugins.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath() } == [URL(fileURLWithPath: plugin).resolvingSymlinksInPath()])
    let weights = try WeightsFile.read("\(run)/weights.h5")
    #expect(try ExperimentConfiguration(yaml: weights.metadata.configuration, name: "weights").plugins == ["libFixture.so"])
  }

  @Test func weightsLoadNoPluginUnlessItIsNamedByTheUser() throws {
    let run = try trainedRun()
    let unasked = try workshop.command("detect", "\(run)/weights.h5", "--validation", "1")
    #expect(unasked.status == 1)
    #expect(unasked.error.contains("no thresholder \"fixture-constant\""))
    #expect(unasked.error.contains("trained with libFixture.so: weights load no plugins, name them yourself (--plugin)"))
    let asked = try workshop.command("detect", "\(run)/weights.h5", "--validation", "1", "--plugin", "libFixture.so")
    #expect(asked.status == 0, "\(asked.error)")

    // A stranger's weights that name a path: nothing is looked at, let alone loaded.
    var weights = try WeightsFile.read("\(run)/weights.h5")
    weights.metadata.configuration = yaml("plugins: [\(workshop.path("trap.so"))]")
      .replacingOccurrences(of: "thresholder: fixture-constant", with: "thresholder: fixed")
    try WeightsFile.write(weights, to: workshop.path("stranger.h5"))
    let stranger = try workshop.command("detect", "stranger.h5", "--validation", "1")
    #expect(stranger.status == 0, "\(stranger.error)")
  }

  @Test func aNameThatIsTakenIsRefused() throws {
    _ = try workshop.write(Workshop.fixture(), to: "libCopy.so")
    let result = try workshop.command("strategies", "--plugin", "libFixture.so", "--plugin", "libCopy.so")
    #expect(result.status == 1)
    #expect(result.error.contains("plugin libCopy.so cannot be added: there is a sampler \"fixture-flat\" already"))
  }

  @Test func aPluginWithoutTheEntryFunctionIsRefused() throws {
    let data = try Workshop.fixture().patched("\0sampling_free_plugin\0", "\0sampling_free_plug_n\0")
    _ = try workshop.write(data, to: "libX.so")
    let result = try workshop.command("strategies", "--plugin", "libX.so")
    #expect(result.status == 1)
    #expect(result.error.contains("has no function sampling_free_plugin"))
  }

  @Test func aPluginThatMissesSymbolsIsRefused() throws {
    let data = try Workshop.fixture().patched("13DetectionCore16ElementWeightingMp", "13DetectionCore16ElementWeightingMq")
    _ = try workshop.write(data, to: "libX.so")
    let result = try workshop.command("strategies", "--plugin", "libX.so")
    #expect(result.status == 1)
    #expect(result.error.contains("needs the symbol $s13DetectionCore16ElementWeightingMq"))
  }

  @Test func aPluginWithACopyOfDetectionCoreIsRefused() throws {
    _ = try workshop.link("libX.so", modules: ["PluginFixture", "DetectionCore", "Parallel", "Suggestions", "CDetectionKernels"])
    let result = try workshop.command("strategies", "--plugin", "libX.so")
    #expect(result.status == 1)
    #expect(result.error.contains("carries a copy of DetectionCore"))
  }

  private struct Silence: TrainingObserver {
    func note(_ message: String) {}
    func didStep(_ report: StepReport, of steps: Int) {}
    func didEvaluate(_ result: COCOResult, step: Int) {}
  }
}
