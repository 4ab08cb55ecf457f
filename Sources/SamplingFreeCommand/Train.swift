import ArgumentParser
import Foundation
import MessagePassing
import SamplingFree

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a detector; write weights, checkpoint and metrics to the output folder.",
    discussion: """
      SIGINT (Ctrl-C), SIGTERM, SIGHUP and SIGUSR1 end training after the step it is at, with a checkpoint and the command that \
      goes on from there; a second one ends it at once.

      mpirun -n 4 sampling-free train ... trains one detector in 4 processes, each on batchSize images a step.
      """)

  @OptionGroup var options: ConfigurationOptions
  @Flag(help: "Go on from the output folder's checkpoint.")
  var resume = false
  @Flag(help: "Start anew where the output folder holds an earlier run; its weights, checkpoint and metrics are removed.")
  var overwrite = false

  @Option(help: "Of several processes: seconds that one waits for the others before all end.")
  var patience = 600

  func validate() throws {
    if patience < 1 { throw ValidationError("--patience must be at least 1") }
    if resume && overwrite { throw ValidationError("give --resume or --overwrite, not both") }
  }

  func run() throws {
    try MPIProcesses.run(
      patience: .seconds(patience),
      { processes in
        let configuration = try options.load()
        if processes.rank > 0 {
          var silence = Silence()
          _ = try train(configuration, processes, &silence)
        } else {
          var progress = Progress(logEvery: configuration.train.logEvery)
          // An error's message starts on a line of its own.
          defer { progress.finish() }
          try printOut(table(train(configuration, processes, &progress)))
        }
      },
      failed: { error, processes in
        printError("rank \(processes.rank) of \(processes.count): \(Root.fullMessage(for: error))")
      })
  }

  private func train(
    _ configuration: ExperimentConfiguration, _ processes: any ProcessGroup, _ observer: inout some TrainingObserver
  ) throws -> COCOResult {
    var trainer = try Trainer(
      configuration, registry: SamplingFreeCommand.registry(plugins: configuration.plugins),
      start: resume ? .resuming : overwrite ? .overwriting : .fresh, processes: processes, observer: &observer)
    Interruption.watch()
    do { return try trainer.run(observer: &observer, shouldStop: { Interruption.isAskedFor }) } catch let error as TrainingInterrupted {
      let command = Invocation(processes: processes.count).resuming().text
      if processes.rank == 0 { observer.note("\(error); to go on:\n  \(command)") }
      throw processes.count > 1 ? error : ExitCode(Interruption.status)
    } catch let error as TrainingDiverged {
      let files = trainer.files
      if FileManager.default.fileExists(atPath: files.diverged) {
        let folder = "\(files.path)-diverged"
        let copy = "mkdir -p \(Invocation.quoted(folder)) && cp \(Invocation.quoted(files.diverged)) \(Invocation.quoted(folder))/checkpoint.h5"
        observer.note("to replay the step:\n  \(copy) && \(Invocation(processes: processes.count).resuming(in: folder).text)")
      }
      throw error
    }
  }
}

/// Of processes other than the first.
private struct Silence: TrainingObserver {
  func note(_ message: String) {}
  func didStep(_ report: StepReport, of steps: Int) {}
  func didEvaluate(_ result: COCOResult, step: Int) {}
}

/// The numbers of an evaluation; AP50 last.
func table(_ result: COCOResult) -> String {
  let lines: [(String, Double)] = [
    ("AP", result.ap), ("AP75", result.ap75), ("APs", result.apSmall), ("APm", result.apMedium), ("APl", result.apLarge),
    ("AR1", result.ar1), ("AR10", result.ar10), ("AR100", result.ar100), ("AP50", result.ap50),
  ]
  return lines.map { "\($0.0) \(String(format: "%.4f", $0.1))" }.joined(separator: "\n")
}
