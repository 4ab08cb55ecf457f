import NeuralNetwork
import Testing

/// Convolutions large enough for the fast algorithm (Winograd's) against sums in double precision.
@Suite struct ConvolutionTests {
  struct Planes {
    let channels, height, width: Int
    var values: [Double]

    init(_ channels: Int, _ height: Int, _ width: Int) {
      (self.channels, self.height, self.width) = (channels, height, width)
      values = Array(repeating: 0, count: channels * height * width)
    }

    func index(_ c: Int, _ y: Int, _ x: Int) -> Int { (c * height + y) * width + x }
  }

  /// Calls `body` with the indexes of the kernel's, the input's and the output's element of every product.
  static func products(
    kernel: Int, from x: Planes, to y: Planes, _ body: (_ weight: Int, _ source: Int, _ target: Int) -> Void
  ) {
    for o in 0..<y.channels {
      for c in 0..<x.channels {
        for (i, j) in (0..<kernel * kernel).map({ ($0 / kernel, $0 % kernel) }) {
          for row in 0..<y.height where (0..<x.height).contains(row + i - kernel / 2) {
            for column in 0..<y.width where (0..<x.width).contains(column + j - kernel / 2) {
              body(
                ((o * x.channels + c) * kernel + i) * kernel + j, x.index(c, row + i - kernel / 2, column + j - kernel / 2),
                y.index(o, row, column))
            }
          }
        }
      }
    }
  }

  static func largestError(_ actual: [Float], _ expected: [Double]) -> Double {
    let scale = expected.map(abs).max() ?? 1
    return zip(actual, expected).map { abs(Double($0) - $1) / scale }.max() ?? 0
  }

  @Test(arguments: [(16, 24), (13, 19), (5, 6)])
  func resultAndGradientsAreRight(height: Int, width: Int) throws {
    var graph = Graph()
    let image = graph.input(channels: 32)
    let a = graph.convolution(image, path: "a", channels: 48, kernel: 1)
    let b = graph.convolution(a, path: "b", channels: 40, kernel: 3)
    let output = graph.output([b], name: "b")
    let parameters = try Parameters(graph.parameters, seed: 3)
    let program = try Program.compile(graph, parameters: parameters, inputShape: [1, 32, height, width], training: true)
    for i in program.inputValues.indices { program.inputValues[i] = Float((i * 7919) % 2003) / 1000 - 1 }
    try program.forward()
    for i in program.gradient(of: output).indices { program.gradient(of: output)[i] = Float((i * 104_729) % 2011) / 1000 - 1 }
    try program.backward()

    var x = Planes(32, height, width)
    x.values = program.inputValues.map(Double.init)
    let kernelA = try parameters.tensor("a/kernel").values.map(Double.init)
    let kernelB = try parameters.tensor("b/kernel").values.map(Double.init)
    var hidden = Planes(48, height, width)
    Self.products(kernel: 1, from: x, to: hidden) { hidden.values[$2] += kernelA[$0] * x.values[$1] }
    var y = Planes(40, height, width)
    Self.products(kernel: 3, from: hidden, to: y) { y.values[$2] += kernelB[$0] * hidden.values[$1] }
    // The output's rows are locations.
    func rows(_ planes: Planes) -> [Double] {
      (0..<height * width).flatMap { i in (0..<40).map { planes.values[$0 * height * width + i] } }
    }
    #expect(Self.largestError(Array(program.values(of: output)), rows(y)) < 1e-5)

    var gradient = Planes(40, height, width)
    for (i, value) in program.gradient(of: output).enumerated() {
      gradient.values[i % 40 * height * width + i / 40] = Double(value)
    }
    var kernelGradientB = Array(repeating: 0.0, count: kernelB.count)
    Self.products(kernel: 3, from: hidden, to: y) { kernelGradientB[$0] += hidden.values[$1] * gradient.values[$2] }
    #expect(Self.largestError(try parameters.gradient("b/kernel").values, kernelGradientB) < 1e-5)
    let biasGradient = (0..<40).map { c in
      gradient.values[(c * height * width)..<((c + 1) * height * width)].reduce(0, +)
    }
    #expect(Self.largestError(try parameters.gradient("b/bias").values, biasGradient) < 1e-5)

    var hiddenGradient = Planes(48, height, width)
    Self.products(kernel: 3, from: hidden, to: y) { hiddenGradient.values[$1] += kernelB[$0] * gradient.values[$2] }
    var kernelGradientA = Array(repeating: 0.0, count: kernelA.count)
    Self.products(kernel: 1, from: x, to: hidden) { kernelGradientA[$0] += x.values[$1] * hiddenGradient.values[$2] }
    #expect(Self.largestError(try parameters.gradient("a/kernel").values, kernelGradientA) < 1e-5)
  }
}
