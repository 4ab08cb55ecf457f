import Foundation

/// How a parameter starts.
public enum Initializer: Hashable, Sendable {
  case constant(Float)
  case normal(standardDeviation: Float)
  /// He et al. 2015, fan-out, as torchvision starts its ResNets: std = sqrt(2 / (out channels · kernel area)).
  case heNormalFanOut
  /// Uniform in ±sqrt(3 / fan-in), as Detectron starts its FPN ("kaiming uniform" with a = 1).
  case uniformFanIn

  /// Gives a parameter of `shape` ([out, in, height, width] for a kernel) its values, which follow from `seed` and its path
  /// alone, so that adding a layer leaves the others as they were.
  func fill(_ values: UnsafeMutableBufferPointer<Float>, shape: [Int], seed: UInt64, path: String) {
    var generator = NormalGenerator(seed: seed, path: path)
    let kernelArea = shape.dropFirst(2).reduce(1, *)
    switch self {
    case .constant(let value): values.update(repeating: value)
    case .normal(let deviation): for i in values.indices { values[i] = deviation * generator.normal() }
    case .heNormalFanOut:
      let deviation = Float((2 / Double(max(1, (shape.first ?? 1) * kernelArea))).squareRoot())
      for i in values.indices { values[i] = deviation * generator.normal() }
    case .uniformFanIn:
      let fanIn = max(1, shape.dropFirst().reduce(1, *))
      let bound = Float((3 / Double(fanIn)).squareRoot())
      for i in values.indices { values[i] = bound * (2 * generator.uniform() - 1) }
    }
  }
}

/// SplitMix64 (Steele et al. 2014) started from a seed and an FNV-1a hash of the parameter's path; normals by Box-Muller.
private struct NormalGenerator {
  private var state: UInt64

  init(seed: UInt64, path: String) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in path.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    state = hash ^ (seed &* 0x9e37_79b9_7f4a_7c15)
  }

  private mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// In 0..<1.
  mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  mutating func normal() -> Float {
    let u = (Double(next() >> 11) + 0.5) * 0x1p-53
    let v = Double(next() >> 11) * 0x1p-53
    return Float((-2 * log(u)).squareRoot() * cos(2 * .pi * v))
  }
}
