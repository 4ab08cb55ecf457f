import CDetectionKernels
import Foundation
import Parallel
import Testing

/// The kernels' exp and log1p against double precision, over the floats' bit patterns: every 4093rd, or every
/// `ULP_STRIDE`-th (`make check-ulp` takes them all).
@Suite struct FunctionErrorTests {
  static let stride = ProcessInfo.processInfo.environment["ULP_STRIDE"].flatMap { Int($0) } ?? 4093

  @Test func exponentialsOfAllFloatsErrByTwoUnitsAtMost() {
    // Denormal and infinite results among them; from 0xff800001 on nothing is a number.
    for range in [0...0x7f80_0000, 0x8000_0000...0xff80_0000] {
      check("exp", fused_loss_exp, exp, UInt32(range.lowerBound)...UInt32(range.upperBound))
    }
  }

  @Test func logarithmsFromZeroToOneErrByTwoUnitsAtMost() {
    check("log1p", fused_loss_log1p, log1p, 0...Float(1).bitPattern)
  }

  private typealias Kernel = (instruction_set, UnsafePointer<Float>?, Int, UnsafeMutablePointer<Float>?) -> Void

  private func check(_ name: String, _ kernel: Kernel, _ reference: (Double) -> Double, _ patterns: ClosedRange<UInt32>) {
    let sets = instruction_set.available
    let count = (Int(patterns.upperBound) - Int(patterns.lowerBound)) / Self.stride + 1
    let blockSize = 1 << 12
    let blocks = (count + blockSize - 1) / blockSize
    // By thread and instruction set.
    let threads = Parallel.chunkCount(of: blocks)
    var largest = [LargestError](repeating: LargestError(), count: threads * sets.count)
    largest.withUnsafeMutableBufferPointer { largest in
      nonisolated(unsafe) let (largest, kernel, reference) = (largest, kernel, reference)
      Parallel.forChunks(of: blocks) { thread, range in
        var x = [Float](repeating: 0, count: blockSize), y = x
        var expected = [Double](repeating: 0, count: blockSize), units = expected
        for block in range {
          let first = block * blockSize
          for i in 0..<blockSize {
            // The last block's rest is the last pattern again.
            x[i] = Float(bitPattern: patterns.lowerBound + UInt32(min(first + i, count - 1) * Self.stride))
            expected[i] = min(reference(Double(x[i])), LargestError.overflow)
            units[i] = LargestError.unit(of: expected[i])
          }
          for (index, set) in sets.enumerated() {
            kernel(set, x, blockSize, &y)
            largest[thread * sets.count + index].note(y, expected, units, at: x)
          }
        }
      }
    }
    for (index, set) in sets.enumerated() {
      let worst = (0..<threads).map { largest[$0 * sets.count + index] }.max { $0.units < $1.units } ?? LargestError()
      print("\(name), \(set.testDescription): \(worst.units) ulp at \(worst.x), of \(count) floats from \(Float(bitPattern: patterns.lowerBound))")
      #expect(worst.units <= 2, "\(name), \(set.testDescription): at \(worst.x)")
    }
  }
}

/// In units of the last place of the right result, denormals counted as such.
private struct LargestError {
  /// What infinity counts as: the first number that is too large.
  static let overflow = 0x1p128
  var units = 0.0
  var x: Float = 0

  static func unit(of expected: Double) -> Double {
    let nearest = Float(expected)
    return Double(nearest.isFinite ? max(nearest.ulp, .leastNonzeroMagnitude) : Float.greatestFiniteMagnitude.ulp)
  }

  mutating func note(_ y: [Float], _ expected: [Double], _ unit: [Double], at points: [Float]) {
    for i in y.indices {
      let error = abs(min(Double(y[i]), Self.overflow) - expected[i]) / unit[i]
      // Not a number is the largest error there is.
      if !(error <= units) { (units, x) = (error.isNaN ? .infinity : error, points[i]) }
    }
  }
}
