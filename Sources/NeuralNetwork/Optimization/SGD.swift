import Foundation
import Parallel

/// Stochastic gradient descent with momentum and weight decay, as PyTorch's: v <- m·v + (g + d·p), p <- p - rate·v.
public final class SGD {
  public var momentum: Float
  /// Applied to kernels; normalisation's gamma and beta and all biases decay too, as in torchvision's reference.
  public var weightDecay: Float
  /// Largest allowed L2 norm of all gradients together; 0 does not clip.
  public var clipNorm: Float
  private let parameters: Parameters
  private let memory: AlignedMemory
  private var velocity: UnsafeMutableBufferPointer<Float> { memory.values }

  /// - Throws: `EngineError` where there is no memory for as many values as the parameters have.
  public init(_ parameters: Parameters, momentum: Float = 0.9, weightDecay: Float = 1e-4, clipNorm: Float = 0) throws {
    self.parameters = parameters
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.clipNorm = clipNorm
    memory = try AlignedMemory(count: parameters.values.count)
  }

  private var trainable: [Parameters.Entry] { parameters.entries.filter(\.declaration.isTrainable) }

  /// The L2 norm of all gradients together.
  public func gradientNorm() -> Double {
    guard let gradients = parameters.gradients.baseAddress else { return 0 }
    nonisolated(unsafe) let start = UnsafeRawPointer(gradients)
    var sum = 0.0
    for entry in trainable {
      let offset = entry.range.lowerBound
      var parts = [Double](repeating: 0, count: Parallel.chunkCount(of: entry.range.count, minimumChunk: 1 << 14))
      parts.withUnsafeMutableBufferPointer { parts in
        nonisolated(unsafe) let parts = parts
        Parallel.forChunks(of: entry.range.count, minimumChunk: 1 << 14) { chunk, range in
          var lanes = SIMD8<Double>.zero
          var i = range.lowerBound
          while i + 8 <= range.upperBound {
            let wide = SIMD8<Double>(start.loadUnaligned(fromByteOffset: 4 * (offset + i), as: SIMD8<Float>.self))
            lanes += wide * wide
            i += 8
          }
          var rest = 0.0
          while i < range.upperBound {
            let value = Double(start.load(fromByteOffset: 4 * (offset + i), as: Float.self))
            rest += value * value
            i += 1
          }
          parts[chunk] = lanes.sum() + rest
        }
      }
      sum += parts.reduce(0, +)
    }
    return sum.squareRoot()
  }

  /// One update from the gradients of the last backward pass; none where their norm is not finite.
  /// - Returns: the gradients' L2 norm before clipping.
  @discardableResult
  public func step(learningRate: Float) -> Double {
    let norm = gradientNorm()
    guard norm.isFinite else { return norm }
    let clip = clipNorm > 0 && norm > Double(clipNorm) ? Float(Double(clipNorm) / norm) : 1
    let (momentum, decay) = (momentum, weightDecay)
    for entry in trainable {
      let start = entry.range.lowerBound
      guard
        let values = parameters.values.baseAddress.map({ $0 + start }),
        let gradients = parameters.gradients.baseAddress.map({ $0 + start }),
        let velocity = velocity.baseAddress.map({ $0 + start })
      else { continue }
      Parallel.forChunks(of: entry.range.count, minimumChunk: 1 << 14) { _, range in
        for i in range {
          let v = momentum * velocity[i] + (clip * gradients[i] + decay * values[i])
          velocity[i] = v
          values[i] -= learningRate * v
        }
      }
    }
    parameters.markChanged()
    return norm
  }

  /// Momentum by parameter path, to be kept in checkpoints.
  public var state: [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: trainable.map {
        ($0.declaration.path, Tensor(shape: $0.declaration.shape, values: Array(velocity[$0.range])))
      })
  }

  /// - Throws: `EngineError` where a parameter is missing or has another shape.
  public func restore(_ state: [String: Tensor]) throws {
    for entry in trainable {
      let path = entry.declaration.path
      guard let tensor = state[path] else { throw EngineError("the optimiser's state lacks \"\(path)\"") }
      guard tensor.shape == entry.declaration.shape else {
        throw EngineError("the optimiser's state of \"\(path)\" has shape \(tensor.shape), not \(entry.declaration.shape)")
      }
      for (i, value) in zip(entry.range, tensor.values) { velocity[i] = value }
    }
  }
}
