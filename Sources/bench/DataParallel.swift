import ArgumentParser
import Foundation
import MessagePassing
import SamplingFree

/// What an all-reduce of gradients costs a training step, and how much of it the backward pass hides; under mpirun.
struct DataParallel: ParsableCommand {
  @OptionGroup var batch: BatchOptions
  @Option(help: "Rounds; in each the three ways take turns.") var rounds = 5

  /// How gradients travel.
  private enum Way: String, CaseIterable { case alone, after, during }

  func run() throws {
    try MPIProcesses.run({ try measure($0) }) { error, processes in
      FileHandle.standardError.write(Data("rank \(processes.rank): \(error)\n".utf8))
    }
  }

  private func measure(_ processes: any ProcessGroup) throws {
    let network = try batch.network()
    let configuration = ExperimentConfiguration()
    var strategies = try Strategies(configuration, registry: .standard)
    let statistics = TrainingStatistics(
      anchorCount: 1_000_000, foregroundCounts: Array(repeating: 10, count: batch.classes), imageCount: 10)
    let optimizer = try SGD(network.parameters)
    let input = batch.batch()
    var times: [Way: [(step: Double, wait: Double)]] = [:]
    for round in 0...rounds {
      for way in Way.allCases {
        var step = TrainingStep(
          network: network, matcher: configuration.matcher, coder: configuration.boxCoder,
          regressionWeight: configuration.loss.regressionWeight, statistics: statistics,
          processes: way == .alone ? SingleProcess() : processes)
        step.overlapsExchange = way == .during
        // All begin together.
        var barrier = [0.0]
        try processes.sum(&barrier)
        let clock = Clock()
        let losses = try step.run([input], step: round, strategies: &strategies)
        optimizer.step(learningRate: 0)
        if round > 0 { times[way, default: []].append((clock.wall, losses.exchangeSeconds)) }
      }
    }
    guard processes.rank == 0 else { return }
    let bytes = 4 * network.parameters.gradients.count
    print("\(processes.count) processes, \(Double(bytes) / 1e6) MB of gradients; medians of \(rounds) steps, seconds")
    for way in Way.allCases {
      func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
      let (steps, waits) = (times[way, default: []].map(\.step), times[way, default: []].map(\.wait))
      print(String(format: "%@: step %.4f, waited %.4f", way.rawValue, median(steps), median(waits)))
    }
  }
}
