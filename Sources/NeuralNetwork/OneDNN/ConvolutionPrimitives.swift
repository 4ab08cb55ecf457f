import COneDNN

/// Extents and layouts of a convolution's operands; `any` leaves a layout to oneDNN.
struct ConvolutionShapes {
  let x: MemoryDescriptor
  let kernel: MemoryDescriptor
  let y: MemoryDescriptor
  let hasBias: Bool
  /// Of the gradients; the kernel's is left to oneDNN, in fp32.
  let xGradient: MemoryDescriptor
  let yGradient: MemoryDescriptor

  /// Multiplications and additions of the direct algorithm.
  var flops: Double { 2 * Double(kernel.shape.dropFirst().reduce(1, *)) * Double(y.shape.reduce(1, *)) }
}

extension Convolution {
  func forward(
    _ shapes: ConvolutionShapes, isTraining: Bool, _ operations: [Attributes.PostOperation] = []
  ) throws -> Primitive {
    try withFastestAlgorithm(shapes) { algorithm in
      try forward(
        shapes, isTraining ? dnnl_forward_training : dnnl_forward_inference, algorithm, try Attributes(operations))
    }
  }

  func backwardData(_ shapes: ConvolutionShapes) throws -> Primitive {
    let (strides, dilations, begin, end) = geometry(shapes)
    return try withFastestAlgorithm(shapes) { algorithm in
      try Primitive(
        of: [shapes.xGradient, shapes.kernel, shapes.yGradient], hint: try hint(shapes, algorithm),
        name: "\(path) backward data"
      ) {
        dnnl_convolution_backward_data_primitive_desc_create(
          $0.result, $0.engine, algorithm, $0.layouts[0], $0.layouts[1], $0.layouts[2], strides, dilations, begin, end,
          $0.hint, $0.attributes)
      }
    }
  }

  func backwardWeights(_ shapes: ConvolutionShapes) throws -> Primitive {
    let (strides, dilations, begin, end) = geometry(shapes)
    let kernelGradient = try MemoryDescriptor.any(shapes.kernel.shape)
    let bias = hasBias ? try MemoryDescriptor.plain([shapes.kernel.shape[0]]) : nil
    return try withFastestAlgorithm(shapes) { algorithm in
      try Primitive(
        of: [shapes.x, kernelGradient, bias, shapes.yGradient], hint: try hint(shapes, algorithm),
        name: "\(path) backward weights"
      ) {
        dnnl_convolution_backward_weights_primitive_desc_create(
          $0.result, $0.engine, algorithm, $0.layouts[0], $0.layouts[1], $0.layouts[2], $0.layouts[3], strides, dilations,
          begin, end, $0.hint, $0.attributes)
      }
    }
  }

  // MARK: -

  /// Winograd's algorithm (Lavin and Gray 2016) on 4x4 results needs a quarter of the multiplications of a 3x3
  /// convolution and is right to some 1e-6 of the largest value. Worth it from a few tiles and channels on.
  func suitsWinograd(channels: (Int, Int), extents: [Int]) -> Bool {
    window == Window(kernel: 3, stride: 1, padding: 1) && OneDNN.hasWinograd && min(channels.0, channels.1) >= 32
      && extents.allSatisfy { $0 >= 12 }
  }

  /// The direct algorithm does twice as much a second in bf16, and its activations take half the memory: Winograd's is
  /// faster still only where many tiles share its transformed kernels.
  func winogradBeatsBF16(channels: (Int, Int), extents: [Int]) -> Bool {
    suitsWinograd(channels: channels, extents: extents) && min(channels.0, channels.1) >= 128
      && extents.allSatisfy { $0 >= 48 }
  }

  private func withFastestAlgorithm(
    _ shapes: ConvolutionShapes, _ make: (dnnl_alg_kind_t) throws -> Primitive
  ) throws -> Primitive {
    let (x, y) = (shapes.x.shape, shapes.y.shape)
    if shapes.kernel.type == dnnl_f32, suitsWinograd(channels: (x[1], y[1]), extents: Array(y[2...])),
      let primitive = try? make(dnnl_convolution_winograd)
    { return primitive }
    return try make(dnnl_convolution_direct)
  }

  private func hint(_ shapes: ConvolutionShapes, _ algorithm: dnnl_alg_kind_t) throws -> Primitive {
    try forward(shapes, dnnl_forward_training, algorithm, nil)
  }

  private func forward(
    _ shapes: ConvolutionShapes, _ pass: dnnl_prop_kind_t, _ algorithm: dnnl_alg_kind_t, _ attributes: Attributes?
  ) throws -> Primitive {
    let (strides, dilations, begin, end) = geometry(shapes)
    let bias = shapes.hasBias ? try MemoryDescriptor.plain([shapes.kernel.shape[0]]) : nil
    return try Primitive(of: [shapes.x, shapes.kernel, bias, shapes.y], attributes: attributes, name: path) {
      dnnl_convolution_forward_primitive_desc_create(
        $0.result, $0.engine, pass, algorithm, $0.layouts[0], $0.layouts[1], $0.layouts[2], $0.layouts[3], strides,
        dilations, begin, end, $0.attributes)
    }
  }

  /// By spatial axis; oneDNN counts a dilation of 0 where there is none.
  private func geometry(
    _ shapes: ConvolutionShapes
  ) -> (strides: [Int64], dilations: [Int64], begin: [Int64], end: [Int64]) {
    let margins = shapes.x.shape.dropFirst(2).map(window.margins)
    return (
      [Int64](repeating: Int64(window.stride), count: 2), [0, 0], margins.map { Int64($0.before) },
      margins.map { Int64($0.after) }
    )
  }
}
