import ArgumentParser
import Parallel
import SamplingFree

/// What memory allows: the loss' logits copied to where its gradient goes, on all cores.
struct Copy: ParsableCommand {
  func run() throws {
    let copy = try CopyProbe()
    copy.run()
    try Worker.serve { copy.run() }
  }
}

/// What arithmetic allows: a plain product of two square matrices.
struct MatrixProduct: ParsableCommand {
  func run() throws {
    let probe = try MatrixProductProbe()
    try Worker.serve(check: { ["flops": [probe.flops]] }) { try probe.run() }
  }
}

/// A copy of memory larger than the caches.
struct CopyProbe {
  private let fixture: LossFixture

  init() throws { fixture = try LossFixture() }

  func run() {
    nonisolated(unsafe) let (source, target) = (
      UnsafeRawBufferPointer(fixture.logits), UnsafeMutableRawBufferPointer(fixture.gradient)
    )
    Parallel.forChunks(of: source.count, minimumChunk: 1 << 20) { _, range in
      UnsafeMutableRawBufferPointer(rebasing: target[range]).copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range]))
    }
  }

  /// Read and written, the best of a few runs.
  /// - Parameter threadTime: processor time with one thread instead of wall time.
  func bytesPerSecond(runs: Int = 8, threadTime: Bool = false) -> Double {
    run()
    let seconds = (0..<max(1, runs)).map { _ in
      let clock = Clock()
      run()
      return threadTime ? clock.processor : clock.wall
    }
    return 2 * Double(fixture.logits.count * MemoryLayout<Float>.stride) / (seconds.min() ?? .infinity)
  }
}
