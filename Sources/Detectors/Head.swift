import NeuralNetwork

extension HeadArchitecture {
  /// A head, shared by all levels: 3x3 convolutions with ReLU, then a last one, which starts near 0.
  /// - Parameters:
  ///   - outputs: channels of the last convolution.
  ///   - last: the last convolution's name.
  func build(in graph: inout Graph, levels: [Graph.Value], path: String, last: String, outputs: Int) -> [Graph.Value] {
    levels.map { level in
      var x = level
      for i in 0..<convolutions {
        let name = "\(path)/conv\(i + 1)"
        switch normalization {
        case .none:
          x = graph.convolution(
            x, path: name, channels: channels, kernel: 3, relu: true, initializer: initializer)
        case .group(let groups):
          x = graph.convolution(
            x, path: name, channels: channels, kernel: 3, initializer: initializer, bias: nil)
          x = graph.relu(graph.groupNormalization(x, path: "\(path)/norm\(i + 1)", groups: groups))
        }
      }
      return graph.convolution(
        x, path: "\(path)/\(last)", channels: outputs, kernel: 3, initializer: .normal(standardDeviation: 0.01))
    }
  }
}
