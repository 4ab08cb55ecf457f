import Datasets
import Detectors
import NeuralNetwork
import Weights

/// What a training step begins with, as far as it changes before the update: what strategies have learned and what the
/// forward pass moves.
struct StepStart {
  let strategies: Strategies
  private let moving: [(range: Range<Int>, values: [Float])]

  init(_ strategies: Strategies, _ parameters: Parameters) {
    self.strategies = strategies
    moving = parameters.entries.filter { !$0.declaration.isTrainable }.map { ($0.range, Array(parameters.values[$0.range])) }
  }

  func restore(_ parameters: Parameters) {
    for (range, values) in moving { for (i, value) in zip(range, values) { parameters.values[i] = value } }
    parameters.markChanged()
  }
}

extension Trainer {
  /// Finds where values of a step first stopped being finite, and writes what the step began with to `diverged.h5`: resumed
  /// from there, the step is the same.
  /// - Returns: the error with layer and images in it.
  mutating func explained(
    _ error: TrainingDiverged, _ batches: [Batch], _ start: StepStart, _ observer: inout some TrainingObserver
  ) -> TrainingDiverged {
    // Before the forward passes below, which move what the step moved.
    let gradient = firstGradientNotFinite
    let cause = (try? firstValueNotFinite(batches)) ?? gradient.map { "the gradient of \($0)" }
    strategies = start.strategies
    start.restore(network.parameters)
    let ids = batches.flatMap { $0.images.map { "\($0.id)" } }
    let images = ids.prefix(64).joined(separator: ", ") + (ids.count > 64 ? ", ..." : "")
    if (try? writeCheckpoint(step: error.step, to: files.diverged)) != nil {
      observer.note("what step \(error.step) began with: \(files.diverged)")
    }
    return TrainingDiverged(
      step: error.step, reason: "\(error.reason)\(cause.map { "; first: \($0)" } ?? ""); images of the step: \(images)")
  }

  /// A weight, or a layer's result with the images it is of.
  private func firstValueNotFinite(_ batches: [Batch]) throws -> String? {
    for entry in network.parameters.entries where entry.declaration.isTrainable {
      if !network.parameters.values[entry.range].allSatisfy(\.isFinite) { return "\(entry.declaration.path), before the step" }
    }
    // Normalisation over all processes' images would wait for theirs.
    guard network.batchStatistics == nil else { return nil }
    for batch in batches {
      let program = try network.program(images: batch.images.count, height: batch.height, width: batch.width, training: true)
      _ = program.inputValues.update(fromContentsOf: batch.pixels)
      guard let found = try program.firstNotFinite() else { continue }
      let ids = found.images.map { "\(batch.images[$0].id)" }
      return "\(found.layer)\(ids.isEmpty ? "" : ", image\(ids.count > 1 ? "s" : "") \(ids.joined(separator: ", "))")"
    }
    return nil
  }

  /// The backward pass goes from the last layers to the first.
  private var firstGradientNotFinite: String? {
    network.parameters.entries.last {
      $0.declaration.isTrainable && !network.parameters.gradients[$0.range].allSatisfy(\.isFinite)
    }?.declaration.path
  }
}
