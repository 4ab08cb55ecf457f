import NeuralNetwork
import Testing

/// What a convolution takes over from its neighbours gives what they give alone.
@Suite struct FusionTests {
  static let shape = [2, 3, 16, 24]

  static func run(
    _ training: Bool, shape: [Int] = shape, _ build: (inout Graph) -> [Graph.Value]
  ) throws -> [[Float]] {
    var graph = Graph()
    let outputs = build(&graph).enumerated().map { graph.output([$1], name: "\($0)") }
    let parameters = try Parameters(graph.parameters, seed: 5)
    for entry in parameters.entries {
      // No initial value is special: statistics, gamma and bias neither.
      for i in entry.range { parameters.values[i] += Float((i * 31) % 17) / 40 }
    }
    let program = try Program.compile(graph, parameters: parameters, inputShape: shape, training: training)
    for i in program.inputValues.indices { program.inputValues[i] = Float((i * 7919) % 2003) / 1000 - 1 }
    try program.forward()
    return outputs.map { Array(program.values(of: $0)) }
  }

  /// A value that is an output of its own cannot be merged or overwritten, so `apart` computes everything step by step.
  @Test(arguments: [true, false])
  func sumsAreTheSameMergedAndApart(training: Bool) throws {
    func build(_ graph: inout Graph, apart: Bool) -> [Graph.Value] {
      let x = graph.convolution(graph.input(channels: 3), path: "stem", channels: 32, kernel: 3, relu: true)
      let a = graph.convolution(x, path: "a", channels: 32, kernel: 3)
      let sum = graph.add(a, x, relu: true)
      let small = graph.convolution(sum, path: "small", channels: 32, kernel: 3, stride: 2)
      let lateral = graph.convolution(sum, path: "lateral", channels: 32, kernel: 1)
      let merged = graph.upsampleAdd(lateral: lateral, top: small)
      let rectified = graph.convolution(merged, path: "b", channels: 32, kernel: 1)
      return [graph.relu(rectified), merged, sum] + (apart ? [a, lateral, rectified, x] : [])
    }
    let merged = try Self.run(training) { build(&$0, apart: false) }
    let apart = try Self.run(training) { build(&$0, apart: true) }
    for (merged, apart) in zip(merged, apart) { #expect(NetworkGoldenTests.largestError(merged, apart) < 1e-5) }
  }

  @Test func aSummandReadLaterIsNotOverwritten() throws {
    let values = try Self.run(false) { graph in
      let x = graph.convolution(graph.input(channels: 3), path: "x", channels: 32, kernel: 1)
      let sum = graph.add(graph.convolution(x, path: "y", channels: 32, kernel: 1), x)
      return [sum, x]
    }
    let alone = try Self.run(false) { graph in
      [graph.convolution(graph.input(channels: 3), path: "x", channels: 32, kernel: 1)]
    }
    #expect(NetworkGoldenTests.largestError(values[1], alone[0]) < 1e-6)
    #expect(NetworkGoldenTests.largestError(values[0], alone[0]) > 1e-2)
  }

  /// A convolution that adds its own source must not write over what it still reads. Few channels and small extents are
  /// for the direct algorithm, many for Winograd's, 1x1 for matrix products.
  @Test(
    arguments: [(channels: 16, kernel: 3), (32, 1), (32, 3), (8, 3), (3, 5), (64, 1)], [[1, 3, 8, 8], [2, 3, 16, 24], [1, 3, 40, 10]])
  func aConvolutionMayAddItsOwnSource(layer: (channels: Int, kernel: Int), shape: [Int]) throws {
    for training in [false, true] {
      func build(_ graph: inout Graph, apart: Bool) -> [Graph.Value] {
        let x = graph.convolution(graph.input(channels: 3), path: "x", channels: layer.channels, kernel: 3)
        let y = graph.convolution(x, path: "y", channels: layer.channels, kernel: layer.kernel)
        let sum = graph.add(y, x)
        let again = graph.convolution(sum, path: "z", channels: layer.channels, kernel: layer.kernel)
        return [graph.add(sum, again, relu: true)] + (apart ? [x, y, sum, again] : [])
      }
      let merged = try Self.run(training, shape: shape) { build(&$0, apart: false) }
      let apart = try Self.run(training, shape: shape) { build(&$0, apart: true) }
      #expect(NetworkGoldenTests.largestError(merged[0], apart[0]) < 1e-5, "training \(training)")
    }
  }

  @Test(arguments: [8, 16, 32]) func upSampledSumsAreTheSameMergedAndApart(channels: Int) throws {
    for training in [false, true] {
      func build(_ graph: inout Graph, apart: Bool) -> [Graph.Value] {
        let x = graph.convolution(graph.input(channels: 3), path: "x", channels: channels, kernel: 3)
        let top = graph.convolution(x, path: "top", channels: channels, kernel: 3, stride: 2)
        let lateral = graph.convolution(x, path: "lateral", channels: channels, kernel: 1)
        let merged = graph.upsampleAdd(lateral: lateral, top: top)
        let sum = graph.add(graph.convolution(merged, path: "y", channels: channels, kernel: 3), merged)
        return [sum] + (apart ? [x, top, lateral, merged] : [])
      }
      let merged = try Self.run(training, shape: [1, 3, 8, 10]) { build(&$0, apart: false) }
      let apart = try Self.run(training, shape: [1, 3, 8, 10]) { build(&$0, apart: true) }
      #expect(NetworkGoldenTests.largestError(merged[0], apart[0]) < 1e-5, "training \(training)")
    }
  }

  @Test func foldedNormalizationIsTheSameAsApart() throws {
    func build(_ graph: inout Graph, apart: Bool) -> [Graph.Value] {
      let x = graph.convolution(graph.input(channels: 3), path: "x", channels: 32, kernel: 3, bias: nil)
      return [graph.batchNormalization(x, path: "n", relu: true)] + (apart ? [x] : [])
    }
    let merged = try Self.run(false) { build(&$0, apart: false) }
    let apart = try Self.run(false) { build(&$0, apart: true) }
    #expect(NetworkGoldenTests.largestError(merged[0], apart[0]) < 1e-5)
  }

  @Test func shapesThatDoNotAddAreAnError() {
    #expect(throws: EngineError.self) {
      _ = try Self.run(false) { graph in
        let x = graph.input(channels: 3)
        let a = graph.convolution(x, path: "a", channels: 32, kernel: 3, stride: 2)
        return [graph.add(graph.convolution(x, path: "b", channels: 32, kernel: 3), a)]
      }
    }
  }
}
