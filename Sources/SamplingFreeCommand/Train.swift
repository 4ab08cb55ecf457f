import ArgumentParser
import Foundation
import SamplingFree

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a detector; write weights, checkpoint and metrics to the output folder.")

  @OptionGroup var options: ConfigurationOptions
  @Flag(help: "Go on from the output folder's checkpoint.")
  var resume = false
  @Flag(help: "Start anew where the output folder holds an earlier run; its weights, checkpoint and metrics are removed.")
  var overwrite = false

  func validate() throws {
    if resume && overwrite { throw ValidationError("give --resume or --overwrite, not both") }
  }

  func run() throws {
    let configuration = try options.load()
    var progress = Progress(logEvery: configuration.train.logEvery)
    // An error's message starts on a line of its own.
    defer { progress.finish() }
    var trainer = try Trainer(
      configuration, registry: SamplingFreeCommand.registry(plugins: configuration.plugins),
      start: resume ? .resuming : overwrite ? .overwriting : .fresh, observer: &progress)
    print(table(try trainer.run(observer: &progress)))
  }
}

/// The numbers of an evaluation; AP50 last.
func table(_ result: COCOResult) -> String {
  let lines: [(String, Double)] = [
    ("AP", result.ap), ("AP75", result.ap75), ("APs", result.apSmall), ("APm", result.apMedium), ("APl", result.apLarge),
    ("AR1", result.ar1), ("AR10", result.ar10), ("AR100", result.ar100), ("AP50", result.ap50),
  ]
  return lines.map { "\($0.0) \(String(format: "%.4f", $0.1))" }.joined(separator: "\n")
}
