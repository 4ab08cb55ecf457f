import ArgumentParser
import Foundation
import SamplingFree

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train variants of a configuration with shared seeds; write tables and a plot of mean and spread.",
    discussion: """
      Every combination of the --vary options' values, and of the --variant options, is trained with every seed:

        compare recipe.yaml --vary sampler=none,focal --vary lossScaler=guided,unscaled
        compare recipe.yaml --vary 'sampler=none,{focal: {gamma: 1}}' --seeds 0,1
        compare recipe.yaml --variant 'paper: {}' \\
          --variant 'focal: {sampler: focal, lossScaler: unscaled, bias: constant}'

      Called again it goes on: finished runs are kept unless what they were configured with has changed. SIGINT (Ctrl-C), \
      SIGTERM, SIGHUP and SIGUSR1 end it after the step it is at, with a checkpoint; a second one ends it at once.
      """)

  @OptionGroup var options: ConfigurationOptions
  @Option(help: ArgumentHelp("A key and the values to compare; repeat it for all combinations.", valueName: "key=value,..."))
  var vary: [String] = []
  @Option(help: ArgumentHelp("A named variant of several keys; repeat it for more.", valueName: "name: {key: value, ...}"))
  var variant: [String] = []
  @Option(help: "Seeds of every variant, each from 0 on. (default: 0,1,2)", transform: Self.list)
  var seeds: [Int] = [0, 1, 2]
  @Option(name: [.short, .long], help: "Folder of tables, plot and runs.")
  var output = "runs/comparison"

  func run() throws {
    var axes = try vary.map { try ComparisonAxis(vary: $0) }
    if !variant.isEmpty { axes.insert(try ComparisonAxis(variants: variant), at: 0) }
    let plan = try ComparisonPlan(
      path: options.config, overrides: options.overrides, plugins: options.plugins.absolutePaths, axes: axes, seeds: seeds)
    let registry = try SamplingFreeCommand.registry(plugins: plan.variants.flatMap(\.configuration.plugins))
    let comparison = try Comparison(plan, folder: output, registry: registry)
    var progress = Progress(logEvery: plan.variants.map(\.configuration.train.logEvery).max() ?? 20)
    defer { progress.finish() }
    Interruption.watch()
    let report: ComparisonReport
    do { report = try comparison.run(observer: &progress, shouldStop: { Interruption.isAskedFor }) } catch let error as TrainingInterrupted {
      progress.note("\(error); to go on:\n  \(Invocation().text)")
      throw ExitCode(Interruption.status)
    }
    progress.note("tables and plot: \(output)/comparison.md, .csv, .png; \(output)/runs.csv")
    try printOut(report.markdown)
  }

  @Sendable private static func list(_ text: String) throws -> [Int] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let seed = Int(part.filter { $0 != " " }) else { throw ValidationError("\"\(part)\" is no whole number") }
      return seed
    }
  }
}
