import NeuralNetwork

/// Whether normalisations with fixed statistics can be computed: x / sqrt(variance + epsilon) must be a number.
public enum NormalizationCheck {
  /// - Parameters:
  ///   - tensors: by path.
  ///   - epsilon: what the network adds to variances.
  ///   - name: what errors call the parameter of a path.
  /// - Returns: a sentence about each layer some of whose channels never varied, which is suspicious and no error.
  /// - Throws: `ConventionError` naming parameter and channel.
  public static func check(
    _ tensors: [String: Tensor], epsilon: Float, name: (String) -> String = { $0 }
  ) throws -> [String] {
    let ending = "/\(ModelParameter.movingVariance.rawValue)"
    var notes: [String] = []
    for path in tensors.keys.sorted() where path.hasSuffix(ending) {
      guard let variance = tensors[path]?.values else { continue }
      if let channel = variance.firstIndex(where: { !($0 >= 0) }) {
        throw ConventionError("\(name(path)): the variance of channel \(channel) is \(variance[channel]): the weights are damaged")
      }
      if let channel = variance.firstIndex(where: { !($0 + epsilon > 0) }) {
        throw ConventionError("\(name(path)): the variance of channel \(channel) is 0 and epsilon as well: the normalisation divides by 0")
      }
      let zeros = variance.count { $0 == 0 }
      if zeros > 0, zeros == variance.count {
        throw ConventionError("\(name(path)): all \(zeros) variances are 0: the layer was never trained, or the weights are damaged")
      }
      if zeros > 0 { notes.append("\(name(path)): \(zeros) of \(variance.count) variances are 0") }
      let gamma = tensors[path.dropLast(ending.count) + "/\(ModelParameter.gamma.rawValue)"]?.values
      if let gamma, gamma.count == variance.count,
        let channel = gamma.indices.first(where: { !(gamma[$0] / (variance[$0] + epsilon).squareRoot()).isFinite })
      {
        throw ConventionError(
          "\(name(path)): channel \(channel) is scaled by \(gamma[channel]) / sqrt(\(variance[channel]) + \(epsilon)), which is not finite")
      }
    }
    return notes
  }
}
