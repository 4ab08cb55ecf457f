/// How a framework names a model's parameters and lays out its kernels.
protocol ParameterNaming: Sendable {
  var kernelAxes: KernelAxes { get }
  /// Whether kernels lie turned by 180 degrees, as Theano's do.
  var flipsKernels: Bool { get }
  /// Whether the network takes blue, green, red: the first kernel's input channels are turned round on the way.
  var reversesColors: Bool { get }
  /// Whether a parameter of this name would be part of the network, so that one without it is another.
  func isInside(_ name: String, of plan: DetectorPlan) -> Bool
  /// nil where the framework has no such layer.
  func name(of parameter: ModelParameter, in layer: ModelLayer, of plan: DetectorPlan) -> String?
}

extension ParameterNaming {
  var flipsKernels: Bool { false }

  func layout(of parameter: ModelParameter, in layer: ModelLayer) -> KernelLayout {
    guard parameter == .kernel else { return KernelLayout(axes: .outputInputHeightWidth) }
    return KernelLayout(axes: kernelAxes, reversesInputs: reversesColors && layer == .stemConvolution, flips: flipsKernels)
  }
}

/// The order of a convolution kernel's axes.
enum KernelAxes: Hashable, Sendable {
  /// PyTorch's, oneDNN's, this package's, and Keras 1's where it orders dimensions as Theano does.
  case outputInputHeightWidth
  /// Keras'.
  case heightWidthInputOutput
}

/// How a stored parameter becomes the network's, and back. Anything but a kernel of four axes stays as it is.
struct KernelLayout: Hashable, Sendable {
  var axes: KernelAxes
  var reversesInputs = false
  /// Whether the positions of each kernel are stored last to first.
  var flips = false

  /// The network's shape of a stored one.
  func networkShape(_ stored: [Int]) -> [Int] {
    guard stored.count == 4, axes == .heightWidthInputOutput else { return stored }
    return [stored[3], stored[2], stored[0], stored[1]]
  }

  func storedShape(_ network: [Int]) -> [Int] {
    guard network.count == 4, axes == .heightWidthInputOutput else { return network }
    return [network[2], network[3], network[1], network[0]]
  }

  private func isIdentity(_ shape: [Int]) -> Bool {
    shape.count != 4 || (axes == .outputInputHeightWidth && !reversesInputs && !flips)
  }

  /// - Parameter shape: the network's.
  func networkValues(_ stored: [Float], shape: [Int]) -> [Float] {
    if isIdentity(shape) { return stored }
    return permuted(stored, shape) { network, stored in (from: stored, to: network) }
  }

  /// - Parameter shape: the network's.
  func storedValues(_ network: [Float], shape: [Int]) -> [Float] {
    if isIdentity(shape) { return network }
    return permuted(network, shape) { network, stored in (from: network, to: stored) }
  }

  /// Copies each value to its place, output channels in blocks so that neither side strides through memory.
  @inline(__always)
  private func permuted(
    _ values: [Float], _ shape: [Int], _ direction: (_ network: Int, _ stored: Int) -> (from: Int, to: Int)
  ) -> [Float] {
    let (outputs, inputs, area) = (shape[0], shape[1], shape[2] * shape[3])
    let isKeras = axes == .heightWidthInputOutput
    let block = 16
    return [Float](unsafeUninitializedCapacity: values.count) { target, count in
      values.withUnsafeBufferPointer { values in
        for first in stride(from: 0, to: outputs, by: block) {
          for input in 0..<inputs {
            let storedInput = reversesInputs ? inputs - 1 - input : input
            for position in 0..<area {
              let storedPosition = flips ? area - 1 - position : position
              for output in first..<min(first + block, outputs) {
                let network = (output * inputs + input) * area + position
                let stored =
                  isKeras ? (storedPosition * inputs + storedInput) * outputs + output : (output * inputs + storedInput) * area + storedPosition
                let (from, to) = direction(network, stored)
                target[to] = values[from]
              }
            }
          }
        }
      }
      count = values.count
    }
  }
}
