import COneDNN
import Parallel

extension Compiler {
  mutating func emit(_ convolution: Convolution, _ index: Int) throws {
    let name = convolution.path
    let source = input(index)
    let x = try value(source)
    let inputShape = x.layout.shape
    let kernelPath = "\(name)/kernel"
    let kernelEntry = try builder.parameters.entry(kernelPath)
    let kernelShape = kernelEntry.declaration.shape
    let outputExtents = try inputShape.dropFirst(2).map { extent in
      let span = extent + 2 * convolution.padding - convolution.kernel
      guard span >= 0 else {
        throw EngineError("\(name): a \(convolution.kernel)x\(convolution.kernel) kernel does not fit into \(inputShape)")
      }
      return span / convolution.stride + 1
    }
    let outputShape = [inputShape[0], kernelShape[0]] + outputExtents
    let geometry = Geometry(convolution)
    let trainsKernel = builder.isTraining && kernelEntry.declaration.isTrainable

    // The first layer reads images as they come; all else is in the layout that oneDNN likes best.
    let isFirst = source == 0 && inputShape[1] <= 4
    var xAny = isFirst ? x.layout.raw : try MemoryDescriptor.any(inputShape).raw
    var kernelAny = try MemoryDescriptor.any(kernelShape).raw
    var biasPlain = try MemoryDescriptor.plain([kernelShape[0]]).raw
    var yAny = try MemoryDescriptor.any(outputShape).raw
    let (kernel, bias) = try effectiveParameters(of: convolution)

    var description = dnnl_convolution_desc_t()
    try OneDNN.check(
      withOptionalPointer(to: &biasPlain, if: bias != nil) { bias in
        dnnl_convolution_forward_desc_init(
          &description, builder.isTraining ? dnnl_forward_training : dnnl_forward_inference, dnnl_convolution_direct,
          &xAny, &kernelAny, bias, &yAny, geometry.strides, geometry.padding, geometry.padding)
      }, name)
    let forward = try Primitive(
      &description, attributes: convolution.relu ? Attributes(.relu) : nil, name: name)
    let xLaidOut = try builder.reordered(x, to: forward.requiredLayout(dnnl_query_src_md, name), name: name)
    let kernelLaidOut = try builder.prepared(kernel, in: forward.requiredLayout(dnnl_query_weights_md, name), name: name)
    let y = builder.temporary(try forward.requiredLayout(dnnl_query_dst_md, name))
    var arguments = [(DNNL_ARG_SRC, xLaidOut), (DNNL_ARG_WEIGHTS, kernelLaidOut), (DNNL_ARG_DST, y)]
    if let bias { arguments.append((DNNL_ARG_BIAS, bias)) }
    builder.run(forward, arguments, name: name)
    buffers[index] = y
    needsGradient[index] = builder.isTraining && (trainsKernel || needsGradient[source])

    guard needsGradient[index] else { return }
    backwardPasses[index] = { compiler in
      var gradient = try compiler.gradient(of: index)
      if convolution.relu {
        gradient = try compiler.gradientThrough(
          dnnl_eltwise_relu_use_dst_for_bwd, forward: dnnl_eltwise_relu, gradient, result: y, name: "\(name) relu")
      }
      if trainsKernel {
        try compiler.emitKernelGradient(
          convolution, x: xLaidOut, gradient: gradient.buffer, outputShape: outputShape, forward: forward)
      }
      if compiler.needsGradient[source] {
        let result = try compiler.emitInputGradient(
          convolution, kernel: kernel, gradient: gradient.buffer, inputShape: inputShape, forward: forward)
        try compiler.addGradient(Gradient(buffer: result, isShared: false), to: source)
      }
    }
  }

  private mutating func emitInputGradient(
    _ convolution: Convolution, kernel: Buffer, gradient: Buffer, inputShape: [Int], forward: Primitive
  ) throws -> Buffer {
    let name = "\(convolution.path) backward data"
    let geometry = Geometry(convolution)
    var xAny = try MemoryDescriptor.any(inputShape).raw
    var kernelAny = try MemoryDescriptor.any(kernel.layout.shape).raw
    var yAny = try MemoryDescriptor.any(gradient.layout.shape).raw
    var description = dnnl_convolution_desc_t()
    try OneDNN.check(
      dnnl_convolution_backward_data_desc_init(
        &description, dnnl_convolution_direct, &xAny, &kernelAny, &yAny, geometry.strides, geometry.padding,
        geometry.padding), name)
    let primitive = try Primitive(&description, hint: forward, name: name)
    let dy = try builder.reordered(gradient, to: primitive.requiredLayout(dnnl_query_diff_dst_md, name), name: name)
    let w = try builder.prepared(kernel, in: primitive.requiredLayout(dnnl_query_weights_md, name), name: name)
    let dx = builder.temporary(try primitive.requiredLayout(dnnl_query_diff_src_md, name))
    builder.run(primitive, [(DNNL_ARG_DIFF_DST, dy), (DNNL_ARG_WEIGHTS, w), (DNNL_ARG_DIFF_SRC, dx)], name: name)
    return dx
  }

  private mutating func emitKernelGradient(
    _ convolution: Convolution, x: Buffer, gradient: Buffer, outputShape: [Int], forward: Primitive
  ) throws {
    let name = "\(convolution.path) backward weights"
    let geometry = Geometry(convolution)
    let kernelPath = "\(convolution.path)/kernel"
    let kernelShape = try builder.parameters.entry(kernelPath).declaration.shape
    let isFirst = x.layout.shape[1] <= 4
    var xAny = isFirst ? x.layout.raw : try MemoryDescriptor.any(x.layout.shape).raw
    var kernelAny = try MemoryDescriptor.any(kernelShape).raw
    var biasPlain = try MemoryDescriptor.plain([kernelShape[0]]).raw
    var yAny = try MemoryDescriptor.any(outputShape).raw
    var description = dnnl_convolution_desc_t()
    try OneDNN.check(
      withOptionalPointer(to: &biasPlain, if: convolution.hasBias) { bias in
        dnnl_convolution_backward_weights_desc_init(
          &description, dnnl_convolution_direct, &xAny, &kernelAny, bias, &yAny, geometry.strides, geometry.padding,
          geometry.padding)
      }, name)
    let primitive = try Primitive(&description, hint: forward, name: name)
    let source = try builder.reordered(x, to: primitive.requiredLayout(dnnl_query_src_md, name), name: name)
    let dy = try builder.reordered(gradient, to: primitive.requiredLayout(dnnl_query_diff_dst_md, name), name: name)
    let dw = builder.temporary(try primitive.requiredLayout(dnnl_query_diff_weights_md, name))
    var arguments = [(DNNL_ARG_SRC, source), (DNNL_ARG_DIFF_DST, dy), (DNNL_ARG_DIFF_WEIGHTS, dw)]
    if convolution.hasBias {
      let db = builder.temporary(try .plain([kernelShape[0]]))
      arguments.append((DNNL_ARG_DIFF_BIAS, db))
      builder.run(primitive, arguments, name: name)
      try builder.storeGradient(db, path: "\(convolution.path)/bias")
    } else {
      builder.run(primitive, arguments, name: name)
    }
    guard let normalization = convolution.frozenNormalization else {
      return try builder.storeGradient(dw, path: kernelPath)
    }
    // The folded kernel is scale · kernel, so the kernel's gradient is scale · the folded one's.
    let folded = builder.temporary(try .plain(kernelShape))
    try builder.reorder(dw, into: folded, name: name)
    let scale = try foldedScale(normalization.path, epsilon: normalization.epsilon)
    let (target, accumulate) = try builder.gradient(kernelPath)
    let rows = kernelShape[0]
    let columns = kernelShape.dropFirst().reduce(1, *)
    builder.run([folded, scale, target], name: "\(name) unfold") { p in
      for row in 0..<rows {
        for i in (row * columns)..<((row + 1) * columns) {
          p[2][i] = p[1][row] * p[0][i] + (accumulate ? p[2][i] : 0)
        }
      }
    }
  }

  // MARK: Folding

  /// Kernel and bias with the frozen normalisation folded in, in C order.
  private mutating func effectiveParameters(of convolution: Convolution) throws -> (kernel: Buffer, bias: Buffer?) {
    let kernel = try builder.parameter("\(convolution.path)/kernel")
    guard let normalization = convolution.frozenNormalization else {
      return (kernel, convolution.hasBias ? try builder.parameter("\(convolution.path)/bias") : nil)
    }
    let scale = try foldedScale(normalization.path, epsilon: normalization.epsilon)
    let shape = kernel.layout.shape
    let columns = shape.dropFirst().reduce(1, *)
    let folded = try builder.prepare("folded \(convolution.path)") { builder in
      let folded = try builder.persistent(.plain(shape))
      builder.run([kernel, scale, folded], name: "\(convolution.path) fold") { p in
        for row in 0..<shape[0] {
          for i in (row * columns)..<((row + 1) * columns) { p[2][i] = p[1][row] * p[0][i] }
        }
      }
      return folded
    }
    let bias = try builder.prepare("folded bias \(convolution.path)") { builder in
      let beta = try builder.parameter("\(normalization.path)/beta")
      let mean = try builder.parameter("\(normalization.path)/moving_mean")
      let bias = try builder.persistent(.plain([shape[0]]))
      let own = convolution.hasFrozenBias ? [try builder.parameter("\(convolution.path)/bias")] : []
      builder.run([beta, mean, scale, bias] + own, name: "\(convolution.path) fold bias") { p in
        for i in 0..<shape[0] { p[3][i] = p[0][i] + ((p.count > 4 ? p[4][i] : 0) - p[1][i]) * p[2][i] }
      }
      return bias
    }
    return (folded, bias)
  }

  /// gamma / sqrt(moving variance + epsilon).
  private mutating func foldedScale(_ path: String, epsilon: Float) throws -> Buffer {
    try builder.prepare("folded scale \(path)") { builder in
      let gamma = try builder.parameter("\(path)/gamma")
      let variance = try builder.parameter("\(path)/moving_variance")
      let count = gamma.layout.shape[0]
      let scale = try builder.persistent(.plain([count]))
      builder.run([gamma, variance, scale], name: "\(path) fold scale") { p in
        for i in 0..<count { p[2][i] = p[0][i] / (p[1][i] + epsilon).squareRoot() }
      }
      return scale
    }
  }
}

private struct Geometry {
  let strides: [Int64]
  let padding: [Int64]

  init(_ convolution: Convolution) {
    strides = [Int64(convolution.stride), Int64(convolution.stride)]
    padding = [Int64(convolution.padding), Int64(convolution.padding)]
  }
}

func withOptionalPointer<T, R>(to value: inout T, if condition: Bool, _ body: (UnsafePointer<T>?) throws -> R) rethrows -> R {
  condition ? try withUnsafePointer(to: &value) { try body($0) } : try body(nil)
}
