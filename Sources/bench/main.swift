import ArgumentParser

/// What `scripts/benchmarks/run.py` measures, one work a subcommand; see docs/benchmarks.md.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Works to be timed, driven through standard input: one line, one run.",
    subcommands: [Prepare.self, Inference.self, Layers.self, Training.self, DataParallel.self, PostProcess.self, Evaluation.self, Kernels.self])
}

Bench.main()
