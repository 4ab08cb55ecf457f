import ArgumentParser
import Foundation
import SamplingFree

/// Where an inference's or a training step's time goes, layer by layer, against a plain matrix product.
struct Layers: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "A table: each layer's seconds and GFLOP/s.")

  @OptionGroup var batch: BatchOptions
  @Flag(help: "Forward and backward pass of training instead of inference.") var training = false
  @Flag(help: "With OMP_NUM_THREADS=1 on a busy machine: processor time instead of wall time.") var threadTime = false
  @Option(help: "Runs; the median counts.") var runs = 5
  @Option(help: "Layers faster than this many milliseconds are summed up in one line.") var least = 0.0

  func run() throws {
    let network = try batch.network()
    let program = try network.program(
      images: batch.images, height: batch.height, width: batch.width, training: training)
    _ = program.inputValues.update(fromContentsOf: batch.batch().pixels)
    try program.forward()
    var steps = try program.profile(includingBackward: training, threadTime: threadTime)
    var times = steps.map { [$0.seconds] }
    for _ in 1..<max(1, runs) {
      for (i, step) in try program.profile(includingBackward: training, threadTime: threadTime).enumerated() { times[i].append(step.seconds) }
    }
    for i in steps.indices { steps[i].seconds = times[i].sorted()[times[i].count / 2] }
    let peak = try MatrixProductProbe().flopsPerSecond(threadTime: threadTime)
    var rest = (count: 0, seconds: 0.0)
    print("    ms  GFLOP/s  of matmul  layer (implementation)")
    for step in steps {
      if step.seconds * 1e3 < least { rest.count += 1; rest.seconds += step.seconds; continue }
      let rate = step.flops / step.seconds
      let numbers = step.flops > 0 ? String(format: "%8.1f  %8.0f %%", rate * 1e-9, 100 * rate / peak) : "                    "
      print(String(format: "%6.2f ", step.seconds * 1e3) + numbers + "  \(step.name) (\(step.implementation))")
    }
    if rest.count > 0 { print(String(format: "%6.2f", rest.seconds * 1e3) + "  \(rest.count) faster ones") }
    let total = steps.reduce(0) { $0 + $1.seconds }
    let flops = steps.reduce(0) { $0 + $1.flops }
    print(
      String(
        format: "%.1f ms, %.1f GFLOP, %.0f GFLOP/s, %.0f %% of a matmul's %.0f GFLOP/s; arena %.0f MB", total * 1e3,
        flops * 1e-9, flops / total * 1e-9, 100 * flops / total / peak, peak * 1e-9, Double(program.arenaByteCount) * 1e-6))
  }
}
