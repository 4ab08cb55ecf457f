import ArgumentParser
import SamplingFree

/// One training step: forward, matching, losses, backward, update.
struct Training: ParsableCommand {
  @OptionGroup var batch: BatchOptions

  func run() throws {
    let network = try batch.network()
    var configuration = ExperimentConfiguration()
    configuration.sampler = StrategyReference("focal")
    configuration.lossScaler = StrategyReference("unscaled")
    var strategies = try Strategies(configuration, registry: .standard)
    let statistics = TrainingStatistics(
      anchorCount: 1_000_000, foregroundCounts: Array(repeating: 10, count: batch.classes), imageCount: 10)
    let step = TrainingStep(
      network: network, matcher: configuration.matcher, coder: configuration.boxCoder,
      regressionWeight: configuration.loss.regressionWeight, statistics: statistics)
    let optimizer = try SGD(network.parameters)
    let input = batch.batch()
    var index = 0
    func run() throws -> TrainingStep.Losses {
      defer { index += 1 }
      let losses = try step.run([input], step: index, strategies: &strategies)
      optimizer.step(learningRate: 1e-6)
      return losses
    }
    _ = try run()
    try Worker.serve(check: {
      let losses = try run()
      return ["losses": [losses.classification, losses.regression, Double(losses.foreground)]]
    }) { _ = try run() }
  }
}
