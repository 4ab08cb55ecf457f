/// Values that follow from a name, the same in Swift and in Tests/Detectors/Goldens/make_torchvision.py, so that goldens
/// need not store a network's parameters.
public enum HashedValues {
  /// `count` numbers of 0..<1 in steps of 2^-24: SplitMix64 of the index, started at the name's FNV-1a hash.
  public static func uniform(_ name: String, count: Int) -> [Double] {
    var state: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return (1...max(1, count)).prefix(count).map { index in
      var z = state &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return Double((z ^ (z >> 31)) >> 40) * 0x1p-24
    }
  }

  /// A parameter's values by its path.
  public static func parameter(_ path: String, shape: [Int]) -> [Float] {
    let values = uniform(path, count: shape.reduce(1, *))
    switch path.split(separator: "/").last {
    case "kernel":
      let bound = (3 / Double(shape.dropFirst().reduce(1, *))).squareRoot()
      return values.map { Float((2 * $0 - 1) * bound) }
    case "gamma", "moving_variance": return values.map { Float(0.5 + $0) }
    default: return values.map { Float(0.2 * $0 - 0.1) }
    }
  }

  /// -2..<2.
  public static func pixels(_ name: String, count: Int) -> [Float] {
    uniform(name, count: count).map { Float(4 * $0 - 2) }
  }
}

/// What a golden keeps of a tensor.
public struct TensorSample: Decodable, Sendable {
  public let shape: [Int]
  /// L2.
  public let norm: Double
  /// With 2·uniform("probe <name>") - 1.
  public let product: Double
  /// `values` are every `step`-th.
  public let step: Int
  public let values: [Double]

  /// The largest difference of norm, product and values, in units of what they are expected to be off by per unit of
  /// relative error of the tensor: the norm for norm and product, the root mean square for values.
  public func error(of tensor: some Collection<Float>, name: String) -> Double {
    let actual = Array(tensor).map(Double.init)
    guard actual.count == shape.reduce(1, *) else { return .infinity }
    let unit = max(norm, 1e-30)
    let probe = HashedValues.uniform("probe " + name, count: actual.count)
    let ownNorm = actual.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let ownProduct = zip(actual, probe).reduce(0) { $0 + $1.0 * (2 * $1.1 - 1) }
    let typical = unit / Double(actual.count).squareRoot()
    let samples = stride(from: 0, to: actual.count, by: step).map { actual[$0] }
    guard samples.count == values.count else { return .infinity }
    let sampleError = zip(samples, values).map { abs($0 - $1) / typical }.max() ?? 0
    return [abs(ownNorm - norm) / unit, abs(ownProduct - product) / unit, sampleError].max { $1.isNaN || $0 < $1 } ?? .infinity
  }
}
