import Foundation
import Testing

import NeuralNetwork

/// Every operation in one network, against PyTorch in double precision (Goldens/make_network.py).
@Suite struct NetworkGoldenTests {
  struct Golden: Decodable {
    struct Entry: Decodable {
      let shape: [Int]
      let values: [Float]
    }
    let input, outputGradient, output, inference: Entry
    let parameters, gradients, moved: [String: Entry]
  }

  static func golden() throws -> Golden {
    let url = try #require(Bundle.module.url(forResource: "Goldens/network", withExtension: "json"))
    return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
  }

  static func network() -> (Graph, Graph.Output) {
    var graph = Graph()
    let channels = 20
    var x = graph.input(channels: 3)
    x = graph.convolutionWithFrozenNormalization(
      x, path: "stem", normalization: "stem_norm", channels: channels, kernel: 3, stride: 2, relu: true)
    x = graph.maxPool(x, kernel: 3, stride: 2, padding: 1)
    var y = graph.convolution(x, path: "block/a", channels: channels, kernel: 3, bias: nil)
    y = graph.batchNormalization(y, path: "block/a_norm", relu: true)
    y = graph.convolution(y, path: "block/b", channels: channels, kernel: 3, bias: nil)
    y = graph.batchNormalization(y, path: "block/b_norm")
    x = graph.add(x, y, relu: true)
    let down = graph.convolution(x, path: "down", channels: channels, kernel: 3, stride: 2, relu: true)
    let lateral = graph.convolution(x, path: "lateral", channels: channels, kernel: 1)
    var n = graph.upsampleAdd(lateral: lateral, top: down)
    n = graph.relu(graph.groupNormalization(n, path: "group", groups: 4))
    let levels = [n, down].map { level in
      graph.sigmoid(graph.convolution(level, path: "head", channels: 6, kernel: 3))
    }
    let output = graph.output(levels, name: "probabilities")
    return (graph, output)
  }

  static func parameters(_ graph: Graph, _ golden: Golden) throws -> Parameters {
    let parameters = try Parameters(graph.parameters, seed: 0)
    for (path, entry) in golden.parameters {
      try parameters.set(path, to: Tensor(shape: entry.shape, values: entry.values))
    }
    return parameters
  }

  static func largestError(_ actual: some Sequence<Float>, _ expected: [Float]) -> Float {
    let scale = expected.map(abs).max() ?? 1
    return zip(actual, expected).map { abs($0 - $1) }.max().map { $0 / max(scale, 1e-6) } ?? 0
  }

  @Test func forwardAndBackwardEqualPyTorch() throws {
    let golden = try Self.golden()
    let (graph, output) = Self.network()
    let parameters = try Self.parameters(graph, golden)
    let program = try Program.compile(graph, parameters: parameters, inputShape: golden.input.shape, training: true)
    _ = program.inputValues.update(fromContentsOf: golden.input.values)
    try program.forward()
    #expect(program.shape(of: output) == golden.output.shape)
    #expect(Self.largestError(program.values(of: output), golden.output.values) < 1e-5)
    for (path, entry) in golden.moved {
      #expect(Self.largestError(try parameters.tensor(path).values, entry.values) < 1e-5, "\(path)")
    }
    _ = program.gradient(of: output).update(fromContentsOf: golden.outputGradient.values)
    try program.backward()
    #expect(golden.gradients.count == parameters.entries.filter(\.declaration.isTrainable).count)
    for (path, entry) in golden.gradients {
      #expect(Self.largestError(try parameters.gradient(path).values, entry.values) < 2e-5, "\(path)")
    }
    // A second pass overwrites: the same gradients again.
    let first = try parameters.gradient("head/kernel")
    try program.forward()
    try program.backward()
    #expect(Self.largestError(try parameters.gradient("head/kernel").values, first.values) < 1e-6)
  }

  @Test func inferenceUsesMovingStatisticsAndSeesChangedParameters() throws {
    let golden = try Self.golden()
    let (graph, output) = Self.network()
    let parameters = try Parameters(graph.parameters, seed: 0)
    let program = try Program.compile(graph, parameters: parameters, inputShape: golden.input.shape, training: false)
    _ = program.inputValues.update(fromContentsOf: golden.input.values)
    try program.forward()
    #expect(Self.largestError(program.values(of: output), golden.inference.values) > 1e-2)
    for (path, entry) in golden.parameters {
      try parameters.set(path, to: Tensor(shape: entry.shape, values: entry.values))
    }
    try program.forward()
    #expect(Self.largestError(program.values(of: output), golden.inference.values) < 1e-5)
  }
}
