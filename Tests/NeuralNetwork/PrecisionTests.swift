import NeuralNetwork
import Testing

/// bf16 keeps 8 bits of a number: what it gives is near fp32, but, where the machine has it, not the same.
@Suite struct PrecisionTests {
  /// Relative to the largest value.
  static let near: Float = 0.03

  /// Layers of the kinds that are computed in bf16, stored in it, and neither. Without ReLU in training: a value near 0
  /// that rounding moves across would change gradients by as much as they are.
  static func run(_ precision: Precision, training: Bool) throws -> (values: [Float], gradients: [String: [Float]]) {
    var graph = Graph()
    let stem = graph.convolution(graph.input(channels: 3), path: "stem", channels: 32, kernel: 3, stride: 2, relu: !training)
    var x = graph.convolutionWithFrozenNormalization(
      stem, path: "reduce", normalization: "norm", channels: 16, kernel: 1, relu: !training)
    x = graph.convolution(x, path: "small", channels: 16, kernel: 3, relu: !training)
    x = graph.add(graph.convolution(x, path: "expand", channels: 32, kernel: 1), stem, relu: !training)
    let down = graph.convolution(x, path: "down", channels: 32, kernel: 3, stride: 2)
    x = graph.upsampleAdd(lateral: graph.convolution(x, path: "lateral", channels: 32, kernel: 1), top: down)
    // The same kernel twice, as heads have it.
    let levels = [x, down].map { graph.convolution($0, path: "head", channels: 5, kernel: 3) }
    let output = graph.output(levels, name: "logits")
    let parameters = try Parameters(graph.parameters, seed: 3)
    for entry in parameters.entries where entry.declaration.shape.count == 1 {
      for i in entry.range { parameters.values[i] += Float((i * 31) % 17) / 40 }
    }
    let program = try Program.compile(
      graph, parameters: parameters, inputShape: [2, 3, 48, 32], training: training, precision: precision)
    for i in program.inputValues.indices { program.inputValues[i] = Float((i * 7919) % 2003) / 1000 - 1 }
    try program.forward()
    guard training else { return (Array(program.values(of: output)), [:]) }
    let gradient = program.gradient(of: output)
    for i in gradient.indices { gradient[i] = Float((i * 104_729) % 1999) / 1000 - 1 }
    try program.backward()
    let trained = parameters.entries.map(\.declaration).filter(\.isTrainable).map(\.path)
    return (
      Array(program.values(of: output)),
      try Dictionary(uniqueKeysWithValues: trained.map { ($0, try parameters.gradient($0).values) }))
  }

  @Test(arguments: [false, true]) func valuesAndGradientsAreNear(training: Bool) throws {
    let exact = try Self.run(.fp32, training: training)
    let rounded = try Self.run(.bf16, training: training)
    let error = NetworkGoldenTests.largestError(rounded.values, exact.values)
    #expect(error < Self.near)
    #expect(rounded.gradients.count == exact.gradients.count && exact.gradients.isEmpty != training)
    for (path, gradient) in exact.gradients {
      let error = NetworkGoldenTests.largestError(try #require(rounded.gradients[path]), gradient)
      #expect(error < Self.near, "\(path)")
    }
    #expect(Precision.bf16.isSupported ? error > 1e-5 : error == 0)
  }

  @Test func whatAMachineLacksIsSaid() {
    #expect(Precision.fp32.isSupported && Precision.fp32.note == nil)
    #expect((Precision.bf16.note == nil) == Precision.bf16.isSupported)
    #expect(Precision.bf16.supported == (Precision.bf16.isSupported ? .bf16 : .fp32))
  }

  /// With its ReLUs, so that only the whole of a gradient is near.
  @Test func everyOperationIsNearPyTorch() throws {
    let golden = try NetworkGoldenTests.golden()
    let (graph, output) = NetworkGoldenTests.network()
    let parameters = try NetworkGoldenTests.parameters(graph, golden)
    let program = try Program.compile(
      graph, parameters: parameters, inputShape: golden.input.shape, training: true, precision: .bf16)
    _ = program.inputValues.update(fromContentsOf: golden.input.values)
    try program.forward()
    #expect(Self.distance(program.values(of: output), golden.output.values) < 0.02)
    _ = program.gradient(of: output).update(fromContentsOf: golden.outputGradient.values)
    try program.backward()
    for (path, entry) in golden.gradients {
      let distance = Self.distance(try parameters.gradient(path).values, entry.values)
      #expect(distance < 0.2, "\(path)")
    }
  }

  /// L2, in units of the expected one's norm.
  static func distance(_ actual: some Sequence<Float>, _ expected: [Float]) -> Float {
    let squares = zip(actual, expected).reduce(into: (0 as Float, 1e-30 as Float)) { sums, pair in
      sums.0 += (pair.0 - pair.1) * (pair.0 - pair.1)
      sums.1 += pair.1 * pair.1
    }
    return (squares.0 / squares.1).squareRoot()
  }
}
