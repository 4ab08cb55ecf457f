import ArgumentParser

/// What `scripts/benchmarks/bench.py` measures, one work a subcommand; see docs/benchmarks.md.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Works to be timed, driven through standard input: one line, one run.",
    subcommands: [
      Prepare.self, Inference.self, MatrixProduct.self, Layers.self, Forward.self, Load.self, Training.self, DataParallel.self, Loss.self, Copy.self,
      PostProcess.self, Evaluation.self, Kernels.self, Soak.self,
    ])
}

Bench.main()
