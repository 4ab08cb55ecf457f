import Testing

import NeuralNetwork

/// Gradients of single operations against central differences of the engine's own forward pass.
@Suite struct GradientTests {
  /// sum(output · weights) as a function of one parameter, differentiated both ways.
  static func check(_ build: (inout Graph) -> Graph.Value, shape: [Int] = [2, 3, 8, 8]) throws {
    var graph = Graph()
    let output = graph.output([build(&graph)], name: "output")
    let parameters = try Parameters(graph.parameters, seed: 11)
    let program = try Program.compile(graph, parameters: parameters, inputShape: shape, training: true)
    for i in program.inputValues.indices { program.inputValues[i] = Float((i * 7919) % 201) / 100 - 1 }
    let weights = program.values(of: output).indices.map { Float(($0 * 104_729) % 101) / 50 - 1 }
    func loss() throws -> Double {
      try program.forward()
      return zip(program.values(of: output), weights).reduce(0) { $0 + Double($1.0 * $1.1) }
    }
    _ = try loss()
    _ = program.gradient(of: output).update(fromContentsOf: weights)
    try program.backward()
    for entry in parameters.entries where entry.declaration.isTrainable {
      let analytic = try parameters.gradient(entry.declaration.path).values
      let scale = max(1e-3, analytic.map(abs).max() ?? 0)
      for i in Swift.stride(from: 0, to: entry.range.count, by: max(1, entry.range.count / 7)) {
        let index = entry.range.lowerBound + i
        let start = parameters.values[index]
        let step: Float = 2e-3
        parameters.values[index] = start + step
        parameters.markChanged()
        let above = try loss()
        parameters.values[index] = start - step
        parameters.markChanged()
        let below = try loss()
        parameters.values[index] = start
        parameters.markChanged()
        let numeric = Float((above - below) / Double(2 * step))
        #expect(abs(numeric - analytic[i]) < 0.02 * scale, "\(entry.declaration.path)[\(i)]: \(analytic[i]), differences \(numeric)")
      }
    }
  }

  @Test(arguments: [(1, 1), (3, 1), (3, 2), (7, 2)])
  func convolution(kernel: Int, stride: Int) throws {
    try Self.check { graph in
      let x = graph.input(channels: 3)
      let y = graph.convolution(x, path: "a", channels: 18, kernel: 3)
      return graph.convolution(y, path: "b", channels: 5, kernel: kernel, stride: stride)
    }
  }

  @Test func groupNormalization() throws {
    try Self.check { graph in
      let x = graph.convolution(graph.input(channels: 3), path: "a", channels: 8, kernel: 3)
      return graph.sigmoid(graph.groupNormalization(x, path: "n", groups: 2))
    }
  }

  @Test func batchNormalization() throws {
    try Self.check { graph in
      let x = graph.convolution(graph.input(channels: 3), path: "a", channels: 8, kernel: 3, bias: nil)
      return graph.sigmoid(graph.batchNormalization(x, path: "n"))
    }
  }

  /// One value read by four consumers, one of them itself.
  @Test func sharedValues() throws {
    try Self.check { graph in
      let x = graph.convolution(graph.input(channels: 3), path: "a", channels: 16, kernel: 3)
      let s = graph.sigmoid(x)
      let twice = graph.add(s, s)
      let pooled = graph.convolution(s, path: "b", channels: 16, kernel: 3, stride: 2)
      return graph.add(graph.upsampleAdd(lateral: twice, top: pooled), s)
    }
  }
}
