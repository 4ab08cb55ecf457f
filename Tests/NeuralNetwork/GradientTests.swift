import Testing

import NeuralNetwork
import TestSupport

/// Gradients of single operations against central differences of the engine's own forward pass.
@Suite struct GradientTests {
  init() { useThreads(1) }

  /// sum(output · weights) as a function of one parameter, differentiated both ways.
  static func check(_ build: (inout Graph) -> Graph.Value, shape: [Int] = [2, 3, 8, 8], step: Float = 2e-3) throws {
    var graph = Graph()
    let output = graph.output([build(&graph)], name: "output")
    let parameters = try Parameters(graph.parameters, seed: 11)
    for entry in parameters.entries where !entry.declaration.isTrainable && !entry.declaration.path.hasSuffix("kernel") {
      for i in entry.range { parameters.values[i] = 0.5 + Float(i * 17 % 29) / 29 }
    }
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
      for i in stride(from: 0, to: entry.range.count, by: max(1, entry.range.count / 7)) {
        let index = entry.range.lowerBound + i
        let start = parameters.values[index]
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

  static let shapes = [[2, 3, 8, 8], [1, 3, 7, 5], [3, 3, 1, 9]]

  @Test(arguments: shapes, [(1, 1), (3, 1), (3, 2), (7, 2)])
  func convolution(shape: [Int], geometry: (kernel: Int, stride: Int)) throws {
    try Self.check({ graph in
      let x = graph.input(channels: 3)
      let y = graph.convolution(x, path: "a", channels: 18, kernel: 3)
      return graph.convolution(y, path: "b", channels: 5, kernel: geometry.kernel, stride: geometry.stride)
    }, shape: shape)
  }

  /// Channels that are no multiple of a vector, and so few that the second layer reads them as images are read.
  @Test(arguments: [1, 2, 4, 13]) func narrowConvolutions(channels: Int) throws {
    try Self.check { graph in
      let y = graph.convolution(graph.input(channels: 3), path: "a", channels: channels, kernel: 3)
      return graph.convolution(y, path: "b", channels: channels, kernel: 3, stride: 2)
    }
  }

  @Test(arguments: shapes) func samePadding(shape: [Int]) throws {
    try Self.check({ graph in
      let y = graph.convolution(graph.input(channels: 3), path: "a", channels: 8, kernel: 3, stride: 2, padding: .same)
      return graph.convolution(y, path: "b", channels: 4, kernel: 2, stride: 2, padding: .same)
    }, shape: shape)
  }

  @Test(arguments: shapes) func frozenNormalization(shape: [Int]) throws {
    try Self.check({ graph in
      let x = graph.convolutionWithFrozenNormalization(
        graph.input(channels: 3), path: "a", normalization: "n", channels: 8, kernel: 3, relu: false)
      let y = graph.convolutionWithFrozenNormalization(
        graph.sigmoid(x), path: "b", normalization: "m", channels: 8, kernel: 3, relu: false)
      return graph.sigmoid(y)
    }, shape: shape)
  }

  @Test(arguments: shapes) func groupNormalization(shape: [Int]) throws {
    try Self.check({ graph in
      let x = graph.convolution(graph.input(channels: 3), path: "a", channels: 8, kernel: 3)
      return graph.sigmoid(graph.groupNormalization(x, path: "n", groups: 2))
    }, shape: shape)
  }

  @Test(arguments: shapes) func batchNormalization(shape: [Int]) throws {
    try Self.check({ graph in
      let x = graph.convolution(graph.input(channels: 3), path: "a", channels: 8, kernel: 3, bias: nil)
      return graph.sigmoid(graph.batchNormalization(x, path: "n"))
    }, shape: shape)
  }

  /// Biases of ±20 keep away from the kink: one branch passes all, the other nothing. Both get the sum's gradient, and
  /// neither's mask may spoil it for the other.
  @Test(arguments: shapes, [true, false]) func relu(shape: [Int], isFused: Bool) throws {
    try Self.check({ graph in
      let x = graph.sigmoid(graph.convolution(graph.input(channels: 3), path: "a", channels: 8, kernel: 3))
      let branches = [Float(20), -20].map { bias in
        let y = graph.convolution(
          x, path: "b\(Int(bias))", channels: 8, kernel: 1, relu: isFused, bias: .constant(bias))
        return isFused ? y : graph.relu(y)
      }
      return graph.add(branches[0], branches[1])
    }, shape: shape)
  }

  /// The largest of a window gets all of the gradient; windows overlap.
  @Test(arguments: [[2, 3, 8, 8], [1, 3, 7, 5], [1, 3, 3, 13]], [Padding.symmetric(1), .same])
  func maxPool(shape: [Int], padding: Padding) throws {
    try Self.check({ graph in
      let x = graph.convolution(graph.input(channels: 3), path: "a", channels: 8, kernel: 3)
      return graph.convolution(graph.maxPool(x, kernel: 3, stride: 2, padding: padding), path: "b", channels: 4, kernel: 1)
    }, shape: shape, step: 1e-4)
  }

  @Test(arguments: [[2, 3, 8, 8], [1, 3, 6, 10], [3, 3, 2, 2]]) func upsampleAdd(shape: [Int]) throws {
    try Self.check({ graph in
      let x = graph.convolution(graph.input(channels: 3), path: "a", channels: 8, kernel: 1)
      let top = graph.convolution(x, path: "b", channels: 8, kernel: 2, stride: 2, padding: 0)
      return graph.sigmoid(graph.upsampleAdd(lateral: x, top: top))
    }, shape: shape)
  }

  /// One value read by four consumers, one of them itself.
  @Test(arguments: shapes.dropLast()) func sharedValues(shape: [Int]) throws {
    try Self.check({ graph in
      let x = graph.convolution(graph.input(channels: 3), path: "a", channels: 16, kernel: 3)
      let s = graph.sigmoid(x)
      let twice = graph.add(s, s)
      let pooled = graph.convolution(s, path: "b", channels: 16, kernel: 3)
      return graph.add(graph.add(twice, pooled), s)
    }, shape: shape)
  }

  /// One kernel used at three places, as heads are on a pyramid's levels.
  @Test func sharedKernels() throws {
    try Self.check { graph in
      let x = graph.convolution(graph.input(channels: 3), path: "a", channels: 8, kernel: 3)
      let y = graph.sigmoid(graph.convolution(x, path: "shared", channels: 8, kernel: 3))
      return graph.convolution(graph.sigmoid(graph.convolution(y, path: "shared", channels: 8, kernel: 3)), path: "shared", channels: 8, kernel: 3)
    }
  }

  /// Gradients flow through a layer that is not trained.
  @Test func frozenLayers() throws {
    try Self.check { graph in
      let x = graph.convolution(graph.input(channels: 3), path: "a", channels: 8, kernel: 3)
      return graph.sigmoid(graph.convolution(x, path: "b", channels: 8, kernel: 3, isTrainable: false))
    }
  }

  /// Programs of two sizes leave each other's values alone, and each writes all gradients.
  @Test func gradientsOfTwoProgramsDoNotMix() throws {
    var graph = Graph()
    let y = graph.convolution(graph.input(channels: 3), path: "a", channels: 8, kernel: 3)
    let output = graph.output([graph.batchNormalization(y, path: "n", relu: true)], name: "output")
    let parameters = try Parameters(graph.parameters, seed: 11)
    let programs = try [[1, 3, 8, 8], [2, 3, 5, 9]].map {
      try Program.compile(graph, parameters: parameters, inputShape: $0, training: true)
    }
    func gradients(_ program: Program) throws -> [Float] {
      for i in program.inputValues.indices { program.inputValues[i] = Float((i * 7919) % 201) / 100 - 1 }
      try program.forward()
      program.gradient(of: output).update(repeating: 0.5)
      try program.backward()
      return try ["a/kernel", "a/bias", "n/gamma", "n/beta"].flatMap { try parameters.gradient($0).values }
    }
    let first = try gradients(programs[0])
    let second = try gradients(programs[1])
    #expect(first != second)
    #expect(try gradients(programs[0]) == first)
    #expect(try gradients(programs[1]) == second)
  }

  /// Two processes with the same images have the statistics and gradients of each alone; only the unbiased variance knows
  /// that there are twice as many.
  @Test(arguments: [false, true]) func batchNormalizationOverProcesses(relu: Bool) throws {
    var graph = Graph()
    let x = graph.input(channels: 3)
    let y = graph.convolution(x, path: "a", channels: 21, kernel: 3)
    let z = graph.batchNormalization(y, path: "n", relu: relu)
    let output = graph.output([graph.convolution(z, path: "b", channels: 4, kernel: 1)], name: "output")
    func run(_ sum: Program.SumOverProcesses?) throws -> (values: [Float], gradients: [String: [Float]], moving: [Float]) {
      let parameters = try Parameters(graph.parameters, seed: 7)
      let program = try Program.compile(
        graph, parameters: parameters, inputShape: [2, 3, 6, 5], training: true, sumOverProcesses: sum)
      for i in program.inputValues.indices { program.inputValues[i] = Float((i * 7919) % 201) / 100 - 1 }
      try program.forward()
      for (i, _) in program.values(of: output).enumerated() { program.gradient(of: output)[i] = Float(i * 31 % 13) / 6 - 1 }
      try program.backward()
      let trained = parameters.entries.filter(\.declaration.isTrainable).map(\.declaration.path)
      return (
        Array(program.values(of: output)),
        Dictionary(uniqueKeysWithValues: try trained.map { ($0, try parameters.gradient($0).values) }),
        try parameters.tensor("n/moving_variance").values
      )
    }
    let (alone, pair) = (try run(nil), try run { for i in $0.indices { $0[i] *= 2 } })
    func expectClose(_ a: [Float], _ b: [Float], _ name: String) {
      let scale = a.map(abs).max() ?? 0
      for (a, b) in zip(a, b) { #expect(abs(a - b) <= 2e-5 * scale, "\(name): \(a), \(b)") }
    }
    expectClose(alone.values, pair.values, "values")
    // The bias in front of a normalisation has no effect: its gradient is rounding.
    for (path, gradient) in alone.gradients where path != "a/bias" { expectClose(gradient, pair.gradients[path] ?? [], path) }
    // 0.9 + 0.1 · variance · n / (n - 1)
    let factor: Float = (120.0 / 119) / (60.0 / 59)
    for (a, b) in zip(alone.moving, pair.moving) { #expect(abs((a - 0.9) * factor - (b - 0.9)) < 1e-6) }
  }
}
