import ArgumentParser
import SamplingFree

/// Backbone, pyramid and heads, from pixels to logits and deltas.
struct Inference: ParsableCommand {
  @OptionGroup var batch: BatchOptions

  func run() throws {
    let network = try batch.network()
    let program = try network.program(images: batch.images, height: batch.height, width: batch.width, training: false)
    _ = program.inputValues.update(fromContentsOf: batch.batch().pixels)
    try program.forward()
    try Worker.serve(check: {
      try program.forward()
      return [
        "logits": sample(program.values(of: network.logits)), "deltas": sample(program.values(of: network.deltas)),
        "flops": [program.flops],
      ]
    }) { try program.forward() }
  }

  /// About a thousand values, evenly spread.
  private func sample(_ values: UnsafeBufferPointer<Float>) -> [Double] {
    stride(from: 0, to: values.count, by: max(1, values.count / 1000)).map { Double(values[$0]) }
  }
}
