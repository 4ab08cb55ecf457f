import Datasets
import Detectors
import NeuralNetwork

/// A mini-batch's logits and deltas and room for their gradients: the program's own where it comes in one part, copies of
/// all parts', in a row, where it comes in several.
final class StepOutputs {
  /// [anchors x classes].
  let logits: UnsafeBufferPointer<Float>
  let logitGradient: UnsafeMutableBufferPointer<Float>
  /// [anchors x 4].
  let deltas: UnsafeBufferPointer<Float>
  let deltaGradient: UnsafeMutableBufferPointer<Float>
  private let copies: [UnsafeMutableBufferPointer<Float>]

  /// - Parameter forward: gives a part's program, its forward pass done.
  init(_ batches: [Batch], _ network: RetinaNet, forward: (Batch) throws -> Program) throws {
    if batches.count == 1 {
      let program = try forward(batches[0])
      logits = program.values(of: network.logits)
      deltas = program.values(of: network.deltas)
      logitGradient = program.gradient(of: network.logits)
      deltaGradient = program.gradient(of: network.deltas)
      copies = []
      return
    }
    let anchors = batches.reduce(0) { sum, batch in
      let levels = network.levels(height: batch.height, width: batch.width)
      return sum + batch.images.count * (network.anchorGenerator.levelOffsets(for: levels).last ?? 0)
    }
    copies = [network.classCount, network.classCount, 4, 4].map { .allocate(capacity: anchors * $0) }
    for copy in copies { copy.initialize(repeating: 0) }
    (logits, logitGradient) = (UnsafeBufferPointer(copies[0]), copies[1])
    (deltas, deltaGradient) = (UnsafeBufferPointer(copies[2]), copies[3])
    var starts = [0, 0]
    for batch in batches {
      let program = try forward(batch)
      for (i, values) in [program.values(of: network.logits), program.values(of: network.deltas)].enumerated() {
        let target = UnsafeMutableBufferPointer(rebasing: copies[2 * i][starts[i]..<starts[i] + values.count])
        _ = target.update(fromContentsOf: values)
        starts[i] += values.count
      }
    }
  }

  deinit { for copy in copies { copy.deallocate() } }

  /// Puts the gradients of a part where its program reads them.
  /// - Parameter anchors: of the part.
  func copyGradients(_ anchors: Range<Int>, to program: Program, of network: RetinaNet) {
    guard !copies.isEmpty else { return }
    for (gradient, output, width) in [(logitGradient, network.logits, network.classCount), (deltaGradient, network.deltas, 4)] {
      let part = gradient[anchors.lowerBound * width..<anchors.upperBound * width]
      _ = program.gradient(of: output).update(fromContentsOf: UnsafeBufferPointer(rebasing: part))
    }
  }
}
