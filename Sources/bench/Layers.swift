import ArgumentParser
import Foundation
import SamplingFree

/// Where an inference's or a training step's time goes, against what arithmetic and memory allow.
struct Layers: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "A table: each layer's seconds and GFLOP/s, and how much of what the machine allows that is.")

  @OptionGroup var batch: BatchOptions
  @Flag(help: "Forward and backward pass of training instead of inference.") var training = false
  @Flag(help: "With OMP_NUM_THREADS=1 on a busy machine: processor time instead of wall time.") var threadTime = false
  @Flag(help: "Sum up layers of a kind.") var kinds = false
  @Option(help: "Runs; the median counts.") var runs = 5
  @Option(help: "Rows of less than this many milliseconds are summed up in one line.") var least = 0.0

  func run() throws {
    let network = try batch.network()
    let program = try network.program(
      images: batch.images, height: batch.height, width: batch.width, training: training)
    _ = program.inputValues.update(fromContentsOf: batch.batch().pixels)
    try program.forward()
    // Memory is there from the second run on.
    _ = try program.profile(includingBackward: training, threadTime: threadTime)
    var steps = try program.profile(includingBackward: training, threadTime: threadTime)
    var times = steps.map { [$0.seconds] }
    for _ in 1..<max(1, runs) {
      for (i, step) in try program.profile(includingBackward: training, threadTime: threadTime).enumerated() { times[i].append(step.seconds) }
    }
    for i in steps.indices { steps[i].seconds = times[i].sorted()[times[i].count / 2] }
    let limits = Limits(
      flops: try MatrixProductProbe().flopsPerSecond(threadTime: threadTime),
      bytes: try CopyProbe().bytesPerSecond(threadTime: threadTime))
    let rows = kinds ? Self.byKind(steps) : steps.map { Row($0, name: "\($0.name) (\($0.implementation))") }
    print("| ms | GFLOP/s | of a matrix product | of what is attainable | layer |\n| ---: | ---: | ---: | ---: | --- |")
    for row in rows where row.seconds * 1e3 >= least { print(row.line(limits)) }
    let rest = rows.filter { $0.seconds * 1e3 < least }
    if !rest.isEmpty { print(Row(sum: rest, name: "\(rest.count) others").line(limits)) }
    print(Row(sum: rows, name: "all").line(limits))
    print(
      String(
        format: "\nmatrix product %.0f GFLOP/s, copy %.0f GB/s; arena %.0f MB", limits.flops * 1e-9, limits.bytes * 1e-9,
        Double(program.arenaByteCount) * 1e-6))
  }

  /// In the order of their time.
  private static func byKind(_ steps: [Program.StepProfile]) -> [Row] {
    Dictionary(grouping: steps, by: kind).map { kind, steps in
      Row(sum: steps.map { Row($0, name: kind) }, name: "\(steps.count) x \(kind)")
    }.sorted { $0.seconds > $1.seconds }
  }

  private static func kind(_ step: Program.StepProfile) -> String {
    let words = step.name.split(separator: " ").dropFirst().joined(separator: " ")
    return words.isEmpty ? step.implementation : "\(words), \(step.implementation)"
  }
}

/// What the machine does a second.
private struct Limits {
  let flops: Double
  let bytes: Double
}

/// A line of the table.
private struct Row {
  let name: String
  var seconds = 0.0
  var flops = 0.0
  /// Flops and bytes of each layer, whichever of them bounds it.
  private var layers: [(flops: Double, bytes: Double)]

  init(_ step: Program.StepProfile, name: String) {
    self.name = name
    (seconds, flops) = (step.seconds, step.flops)
    layers = [(step.flops, step.bytes)]
  }

  init(sum rows: [Row], name: String) {
    self.name = name
    for row in rows { (seconds, flops) = (seconds + row.seconds, flops + row.flops) }
    layers = rows.flatMap(\.layers)
  }

  func line(_ limits: Limits) -> String {
    let attainable = layers.reduce(0) { $0 + max($1.flops / limits.flops, $1.bytes / limits.bytes) }
    let arithmetic =
      flops > 0
      ? String(format: "%7.1f | %4.0f %%", flops / seconds * 1e-9, 100 * flops / seconds / limits.flops) : "        |       "
    return String(format: "| %7.2f | ", seconds * 1e3) + arithmetic + String(format: " | %4.0f %% | ", 100 * attainable / seconds) + name + " |"
  }
}
