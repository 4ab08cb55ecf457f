import Foundation
import Testing

import NeuralNetwork

/// Each operation's forward pass against plain loops, at odd and at tiny sizes, and what is refused.
@Suite struct OperationTests {
  static let shapes = [[1, 3, 1, 1], [2, 3, 7, 5], [1, 3, 9, 16], [3, 3, 4, 31]]

  /// A network's result and what `reference` makes of its input and parameters agree.
  static func check(
    _ shape: [Int], training: Bool = true, _ build: (inout Graph, Graph.Value) -> Graph.Value,
    _ reference: (PlainTensor, (String) throws -> Tensor) throws -> PlainTensor,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var graph = Graph()
    let input = graph.input(channels: shape[1])
    let output = graph.output([build(&graph, input)], name: "output")
    let parameters = try Parameters(graph.parameters, seed: 3)
    for (i, entry) in parameters.entries.enumerated() where !entry.declaration.path.hasSuffix("kernel") {
      for j in entry.range { parameters.values[j] = 0.5 + Float((i * 31 + j * 17) % 29) / 20 }
    }
    parameters.markChanged()
    let program = try Program.compile(graph, parameters: parameters, inputShape: shape, training: training)
    for i in program.inputValues.indices { program.inputValues[i] = Float((i * 7919) % 211) / 100 - 1 }
    let x = PlainTensor(shape: shape, values: program.inputValues)
    let expected = try reference(x) { try parameters.tensor($0) }
    try program.forward()
    let actual = program.values(of: output)
    #expect(program.shape(of: output) == [shape[0], expected.shape[2] * expected.shape[3], expected.shape[1]], sourceLocation: sourceLocation)
    let error = zip(actual, expected.rows).map { abs(Double($0) - $1) }.max() ?? .infinity
    #expect(error < 2e-5 * max(1, expected.values.map(abs).max() ?? 0), sourceLocation: sourceLocation)
  }

  @Test(arguments: shapes, [(1, 1, 0), (3, 1, 1), (3, 2, 1), (7, 2, 3), (5, 3, 2)])
  func convolution(shape: [Int], geometry: (kernel: Int, stride: Int, padding: Int)) throws {
    try Self.check(shape) { graph, x in
      graph.convolution(
        x, path: "a", channels: 11, kernel: geometry.kernel, stride: geometry.stride, padding: .symmetric(geometry.padding))
    } _: { x, parameter in
      x.convolution(
        try parameter("a/kernel"), bias: try parameter("a/bias").values, stride: geometry.stride, padding: geometry.padding)
    }
  }

  @Test(arguments: shapes + [[1, 3, 8, 12]], [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (7, 2), (5, 3)])
  func samePadding(shape: [Int], geometry: (kernel: Int, stride: Int)) throws {
    let (kernel, stride) = geometry
    for training in [false, true] {
      try Self.check(shape, training: training) { graph, x in
        graph.convolution(x, path: "a", channels: 11, kernel: kernel, stride: stride, padding: .same)
      } _: { x, parameter in
        x.paddedToSame(kernel: kernel, stride: stride, with: 0)
          .convolution(try parameter("a/kernel"), bias: try parameter("a/bias").values, stride: stride, padding: 0)
      }
      try Self.check(shape, training: training) { graph, x in
        graph.maxPool(x, kernel: kernel, stride: stride, padding: .same)
      } _: { x, _ in
        x.paddedToSame(kernel: kernel, stride: stride, with: -.infinity).maxPool(kernel, stride: stride, padding: 0)
      }
    }
  }

  @Test(arguments: shapes) func fusedReLUAndFrozenNormalization(shape: [Int]) throws {
    try Self.check(shape) { graph, x in
      graph.convolutionWithFrozenNormalization(x, path: "a", normalization: "n", channels: 6, kernel: 3, relu: true)
    } _: { x, parameter in
      let y = x.convolution(try parameter("a/kernel"), bias: nil, stride: 1, padding: 1)
      let (gamma, beta) = (try parameter("n/gamma").values, try parameter("n/beta").values)
      let (mean, variance) = (try parameter("n/moving_mean").values, try parameter("n/moving_variance").values)
      return PlainTensor(y.shape) { n, c, i, j in
        let z = (y[n, c, i, j] - Double(mean[c])) / (Double(variance[c]) + 1e-5).squareRoot()
        return max(0, z * Double(gamma[c]) + Double(beta[c]))
      }
    }
  }

  @Test(arguments: shapes) func maxPool(shape: [Int]) throws {
    try Self.check(shape) { graph, x in graph.maxPool(x, kernel: 3, stride: 2, padding: 1) } _: { x, _ in
      x.maxPool(3, stride: 2, padding: 1)
    }
  }

  @Test(arguments: shapes) func batchNormalization(shape: [Int]) throws {
    try Self.check(shape) { graph, x in graph.batchNormalization(x, path: "n") } _: { x, parameter in
      x.normalized(groups: nil, gamma: try parameter("n/gamma").values, beta: try parameter("n/beta").values)
    }
    try Self.check(shape, training: false) { graph, x in graph.batchNormalization(x, path: "n", relu: true) } _: { x, parameter in
      let (gamma, beta) = (try parameter("n/gamma").values, try parameter("n/beta").values)
      let (mean, variance) = (try parameter("n/moving_mean").values, try parameter("n/moving_variance").values)
      return PlainTensor(x.shape) { n, c, i, j in
        let z = (x[n, c, i, j] - Double(mean[c])) / (Double(variance[c]) + 1e-5).squareRoot()
        return max(0, z * Double(gamma[c]) + Double(beta[c]))
      }
    }
  }

  @Test(arguments: shapes, [1, 2, 6]) func groupNormalization(shape: [Int], groups: Int) throws {
    try Self.check(shape) { graph, x in
      graph.groupNormalization(graph.convolution(x, path: "a", channels: 6, kernel: 1, bias: nil), path: "n", groups: groups)
    } _: { x, parameter in
      x.convolution(try parameter("a/kernel"), bias: nil, stride: 1, padding: 0)
        .normalized(groups: groups, gamma: try parameter("n/gamma").values, beta: try parameter("n/beta").values)
    }
  }

  @Test(arguments: shapes) func reluAndSigmoid(shape: [Int]) throws {
    try Self.check(shape) { graph, x in graph.relu(x) } _: { x, _ in x.map { max(0, $0) } }
    try Self.check(shape) { graph, x in graph.sigmoid(x) } _: { x, _ in x.map { 1 / (1 + exp(-$0)) } }
  }

  @Test(arguments: [[1, 3, 2, 2], [2, 3, 6, 10], [1, 3, 14, 4]]) func upsampleAdd(shape: [Int]) throws {
    try Self.check(shape) { graph, x in
      let top = graph.convolution(x, path: "top", channels: 3, kernel: 2, stride: 2, padding: 0, bias: nil)
      return graph.upsampleAdd(lateral: x, top: top)
    } _: { x, parameter in
      x + x.convolution(try parameter("top/kernel"), bias: nil, stride: 2, padding: 0).upsampled()
    }
  }

  /// Programs of several sizes share parameters, and each sees them as they are now.
  @Test func programsOfSeveralSizesShareParameters() throws {
    var graph = Graph()
    let y = graph.convolution(graph.input(channels: 2), path: "a", channels: 17, kernel: 3, stride: 2)
    let output = graph.output([y], name: "output")
    let parameters = try Parameters(graph.parameters, seed: 1)
    let shapes = [[1, 2, 9, 7], [3, 2, 6, 6], [1, 2, 1, 40]]
    let programs = try shapes.map {
      try Program.compile(graph, parameters: parameters, inputShape: $0, training: false)
    }
    for round in 0..<2 {
      for (shape, program) in zip(shapes, programs) {
        for i in program.inputValues.indices { program.inputValues[i] = Float((i * 31) % 17) - 8 }
        try program.forward()
        let expected = PlainTensor(shape: shape, values: program.inputValues).convolution(
          try parameters.tensor("a/kernel"), bias: try parameters.tensor("a/bias").values, stride: 2, padding: 1)
        let error = zip(program.values(of: output), expected.rows).map { abs(Double($0) - $1) }.max() ?? .infinity
        #expect(error < 1e-4, "\(shape), round \(round)")
      }
      try parameters.set("a/bias", to: Tensor(shape: [17], repeating: 3))
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    func compile(_ shape: [Int], _ build: (inout Graph, Graph.Value) -> Graph.Value) throws {
      var graph = Graph()
      let x = graph.input(channels: 3)
      _ = graph.output([build(&graph, x)], name: "output")
      _ = try Program.compile(
        graph, parameters: Parameters(graph.parameters, seed: 0), inputShape: shape, training: true)
    }
    func convolution(_ graph: inout Graph, _ x: Graph.Value) -> Graph.Value {
      graph.convolution(x, path: "a", channels: 4, kernel: 5, padding: 0)
    }
    #expect(throws: EngineError.self) { try compile([1, 3, 4, 9], convolution) }
    #expect(throws: EngineError.self) { try compile([1, 4, 9, 9], convolution) }
    #expect(throws: EngineError.self) { try compile([0, 3, 9, 9], convolution) }
    #expect(throws: EngineError.self) { try compile([3, 9, 9], convolution) }
    #expect(throws: EngineError.self) {
      try compile([1, 3, 2, 9]) { graph, x in graph.maxPool(x, kernel: 3, stride: 1, padding: 0) }
    }
    #expect(throws: EngineError.self) {
      try compile([1, 3, 5, 4]) { graph, x in
        graph.upsampleAdd(lateral: x, top: graph.convolution(x, path: "a", channels: 3, kernel: 3, stride: 2))
      }
    }
    #expect(throws: EngineError.self) {
      try compile([1, 3, 8, 8]) { graph, x in
        graph.add(x, graph.convolution(x, path: "a", channels: 3, kernel: 3, stride: 2))
      }
    }
  }
}
