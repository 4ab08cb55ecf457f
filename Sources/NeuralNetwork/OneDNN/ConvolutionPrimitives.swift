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
      var description = dnnl_convolution_desc_t()
      try withOperands(shapes.x, shapes.kernel, shapes.y) { x, kernel, bias, y, strides, begin, end in
        try OneDNN.check(
          dnnl_convolution_forward_desc_init(
            &description, isTraining ? dnnl_forward_training : dnnl_forward_inference, algorithm, x, kernel,
            shapes.hasBias ? bias : nil, y, strides, begin, end), path)
      }
      return try Primitive(&description, attributes: try Attributes(operations), name: path)
    }
  }

  func backwardData(_ shapes: ConvolutionShapes) throws -> Primitive {
    try withFastestAlgorithm(shapes) { algorithm in
      let name = "\(path) backward data"
      var description = dnnl_convolution_desc_t()
      try withOperands(shapes.xGradient, shapes.kernel, shapes.yGradient) { x, kernel, _, y, strides, begin, end in
        try OneDNN.check(
          dnnl_convolution_backward_data_desc_init(&description, algorithm, x, kernel, y, strides, begin, end), name)
      }
      return try Primitive(&description, hint: try hint(shapes, algorithm), name: name)
    }
  }

  func backwardWeights(_ shapes: ConvolutionShapes) throws -> Primitive {
    try withFastestAlgorithm(shapes) { algorithm in
      let name = "\(path) backward weights"
      var description = dnnl_convolution_desc_t()
      let kernelGradient = try MemoryDescriptor.any(shapes.kernel.shape)
      try withOperands(shapes.x, kernelGradient, shapes.yGradient) { x, kernel, bias, y, strides, begin, end in
        try OneDNN.check(
          dnnl_convolution_backward_weights_desc_init(
            &description, algorithm, x, kernel, hasBias ? bias : nil, y, strides, begin, end), name)
      }
      return try Primitive(&description, hint: try hint(shapes, algorithm), name: name)
    }
  }

  // MARK: -

  /// Winograd's algorithm (Lavin and Gray 2016) on 4x4 results needs a quarter of the multiplications of a 3x3
  /// convolution and is right to some 1e-6 of the largest value. Worth it from a few tiles and channels on.
  func suitsWinograd(channels: (Int, Int), extents: [Int]) -> Bool {
    window == Window(kernel: 3, stride: 1, padding: 1) && OneDNN.hasAVX512 && min(channels.0, channels.1) >= 32
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
    var description = dnnl_convolution_desc_t()
    try withOperands(shapes.x, shapes.kernel, shapes.y) { x, kernel, bias, y, strides, begin, end in
      try OneDNN.check(
        dnnl_convolution_forward_desc_init(
          &description, dnnl_forward_training, algorithm, x, kernel, shapes.hasBias ? bias : nil, y, strides, begin, end), path)
    }
    return try Primitive(&description, name: path)
  }

  private typealias Extents = UnsafePointer<Int64>
  private typealias Descriptor = UnsafePointer<dnnl_memory_desc_t>

  private func withOperands(
    _ x: MemoryDescriptor, _ kernel: MemoryDescriptor, _ y: MemoryDescriptor,
    _ body: (Descriptor, Descriptor, Descriptor, Descriptor, Extents, Extents, Extents) throws -> Void
  ) throws {
    let bias = try MemoryDescriptor.plain([kernel.shape[0]])
    let strides = [Int64](repeating: Int64(window.stride), count: 2)
    let margins = x.shape.dropFirst(2).map(window.margins)
    let (begin, end) = (margins.map { Int64($0.before) }, margins.map { Int64($0.after) })
    try withUnsafePointer(to: x.raw) { x in
      try withUnsafePointer(to: kernel.raw) { kernel in
        try withUnsafePointer(to: y.raw) { y in
          try withUnsafePointer(to: bias.raw) { bias in
            try body(x, kernel, bias, y, strides, begin, end)
          }
        }
      }
    }
  }
}
