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
      let count = convolution.window.resultCount(extent)
      guard count > 0 else {
        let side = convolution.window.kernel
        throw EngineError("\(name): a \(side)x\(side) kernel does not fit into \(inputShape)")
      }
      return count
    }
    let outputShape = [inputShape[0], kernelShape[0]] + outputExtents
    let trainsKernel = builder.isTraining && kernelEntry.declaration.isTrainable
    let kernel = try foldedKernel(of: convolution)
    let bias = try foldedBias(of: convolution)
    let type = types.computesInBF16[index] ? dnnl_bf16 : dnnl_f32
    let shapes = ConvolutionShapes(
      // The first layer reads images as they come.
      x: source == 0 && inputShape[1] <= 4 && type == dnnl_f32 ? x.layout : try .activation(inputShape, type),
      kernel: try .any(kernelShape, type), y: try .activation(outputShape, types.types[index]), hasBias: bias != nil,
      xGradient: try .activation(inputShape, types.types[source]), yGradient: try .activation(outputShape, type))

    let operations: [Attributes.PostOperation] =
      (convolution.summand == nil ? [] : [.sum]) + (convolution.relu ? [.relu] : [])
    let forward = try convolution.forward(shapes, isTraining: builder.isTraining, operations)
    let xLaidOut = try builder.reordered(x, to: forward.requiredLayout(dnnl_query_src_md, name), name: name)
    let kernelLaidOut = try builder.prepared(kernel, in: forward.requiredLayout(dnnl_query_weights_md, name), name: name)
    let y = try target(of: convolution, index, layout: forward.requiredLayout(dnnl_query_dst_md, name), source: xLaidOut)
    var arguments = [(DNNL_ARG_SRC, xLaidOut), (DNNL_ARG_WEIGHTS, kernelLaidOut), (DNNL_ARG_DST, y)]
    if let bias { arguments.append((DNNL_ARG_BIAS, bias)) }
    try builder.run(forward, arguments, flops: shapes.flops, name: name)
    buffers[index] = y
    needsGradient[index] =
      builder.isTraining && (trainsKernel || fusion.inputs[index].contains { needsGradient[$0] })

    guard needsGradient[index] else { return }
    backwardPasses[index] = { compiler in
      var gradient = try compiler.gradient(of: index)
      if convolution.relu {
        gradient = try compiler.gradientThrough(
          dnnl_eltwise_relu_use_dst_for_bwd, forward: dnnl_eltwise_relu, gradient, result: y, name: "\(name) relu")
      }
      if trainsKernel {
        try compiler.emitKernelGradient(convolution, shapes, x: xLaidOut, gradient: gradient.buffer)
      }
      if compiler.needsGradient[source] {
        let result = try compiler.emitInputGradient(convolution, shapes, gradient: gradient.buffer)
        try compiler.addGradient(Gradient(buffer: result, isShared: false), to: source)
      }
      if convolution.summand != nil {
        try compiler.emitSummandGradient(convolution, index, gradient: gradient)
      }
    }
  }

  /// Where a convolution stores its result: where there is a summand, in memory that holds it.
  /// - Parameter source: what the convolution reads, and goes on reading while it stores its result.
  private mutating func target(
    of convolution: Convolution, _ index: Int, layout: MemoryDescriptor, source: Buffer
  ) throws -> Buffer {
    guard let kind = convolution.summand else { return builder.temporary(layout) }
    let summand = input(index, 1)
    let held = try value(summand)
    switch kind {
    case .same:
      guard held.layout.shape == layout.shape else {
        throw EngineError("\(convolution.path): shapes \(layout.shape) and \(held.layout.shape) cannot be added")
      }
      if held.layout == layout, held.slot != source.slot, isFree(summand, after: index) {
        builder.forgetReorders(of: held)
        return held
      }
      let y = builder.temporary(layout)
      try builder.reorder(held, into: y, name: "\(convolution.path) summand")
      return y
    case .upsampled:
      let y = builder.temporary(layout)
      try emitUpsampling(held, into: y, name: convolution.path)
      return y
    }
  }

  private mutating func emitSummandGradient(_ convolution: Convolution, _ index: Int, gradient: Gradient) throws {
    let summand = input(index, 1)
    guard needsGradient[summand] else { return }
    switch convolution.summand {
    case .upsampled:
      let dx = try emitUpsamplingGradient(gradient.buffer, of: try value(summand), name: convolution.path)
      try addGradient(Gradient(buffer: dx, isShared: false), to: summand)
    case .same, nil:
      try addGradient(Gradient(buffer: gradient.buffer, isShared: true), to: summand)
    }
  }

  private mutating func emitInputGradient(
    _ convolution: Convolution, _ shapes: ConvolutionShapes, gradient: Buffer
  ) throws -> Buffer {
    let name = "\(convolution.path) backward data"
    let primitive = try convolution.backwardData(shapes)
    let dy = try builder.reordered(gradient, to: primitive.requiredLayout(dnnl_query_diff_dst_md, name), name: name)
    let kernel = try foldedKernel(of: convolution)
    let w = try builder.prepared(kernel, in: primitive.requiredLayout(dnnl_query_weights_md, name), name: name)
    let dx = builder.temporary(try primitive.requiredLayout(dnnl_query_diff_src_md, name))
    try builder.run(
      primitive, [(DNNL_ARG_DIFF_DST, dy), (DNNL_ARG_WEIGHTS, w), (DNNL_ARG_DIFF_SRC, dx)], flops: shapes.flops, name: name)
    return dx
  }

  private mutating func emitKernelGradient(
    _ convolution: Convolution, _ shapes: ConvolutionShapes, x: Buffer, gradient: Buffer
  ) throws {
    let name = "\(convolution.path) backward weights"
    let kernelPath = "\(convolution.path)/kernel"
    let kernelShape = shapes.kernel.shape
    let primitive = try convolution.backwardWeights(shapes)
    let source = try builder.reordered(x, to: primitive.requiredLayout(dnnl_query_src_md, name), name: name)
    let dy = try builder.reordered(gradient, to: primitive.requiredLayout(dnnl_query_diff_dst_md, name), name: name)
    let dw = builder.temporary(try primitive.requiredLayout(dnnl_query_diff_weights_md, name))
    var arguments = [(DNNL_ARG_SRC, source), (DNNL_ARG_DIFF_DST, dy), (DNNL_ARG_DIFF_WEIGHTS, dw)]
    if convolution.hasBias {
      let db = builder.temporary(try .plain([kernelShape[0]]))
      arguments.append((DNNL_ARG_DIFF_BIAS, db))
      try builder.run(primitive, arguments, flops: shapes.flops, name: name)
      try builder.storeGradient(db, path: "\(convolution.path)/bias")
    } else {
      try builder.run(primitive, arguments, flops: shapes.flops, name: name)
    }
    guard let normalization = convolution.frozenNormalization else {
      return try builder.storeGradient(dw, path: kernelPath)
    }
    // The folded kernel is scale · kernel, so the kernel's gradient is scale · the folded one's.
    let folded = builder.temporary(try .plain(kernelShape))
    try builder.reorder(dw, into: folded, name: name)
    let scale = try foldedScale(normalization.path, epsilon: normalization.epsilon)
    let (target, accumulate) = try builder.gradient(kernelPath)
    let columns = kernelShape.dropFirst().reduce(1, *)
    builder.run([folded, scale, target], name: "\(name) unfold") { p in
      nonisolated(unsafe) let p = p
      Parallel.forChunks(of: kernelShape[0], minimumChunk: max(1, (1 << 14) / columns)) { _, rows in
        for row in rows {
          for i in (row * columns)..<((row + 1) * columns) {
            p[2][i] = p[1][row] * p[0][i] + (accumulate ? p[2][i] : 0)
          }
        }
      }
    }
  }

  // MARK: Folding

  /// The kernel with the frozen normalisation folded in, in C order.
  private mutating func foldedKernel(of convolution: Convolution) throws -> Buffer {
    let kernel = try builder.parameter("\(convolution.path)/kernel")
    guard let normalization = convolution.frozenNormalization else { return kernel }
    let scale = try foldedScale(normalization.path, epsilon: normalization.epsilon)
    let shape = kernel.layout.shape
    let columns = shape.dropFirst().reduce(1, *)
    return try builder.prepare("folded \(convolution.path)") { builder in
      let folded = builder.temporary(try .plain(shape))
      builder.run([kernel, scale, folded], name: "\(convolution.path) fold") { p in
        nonisolated(unsafe) let p = p
        Parallel.forChunks(of: shape[0], minimumChunk: max(1, (1 << 14) / columns)) { _, rows in
          for row in rows {
            for i in (row * columns)..<((row + 1) * columns) { p[2][i] = p[1][row] * p[0][i] }
          }
        }
      }
      return folded
    }
  }

  /// The bias with the frozen normalisation folded in; nil where there is neither.
  private mutating func foldedBias(of convolution: Convolution) throws -> Buffer? {
    guard let normalization = convolution.frozenNormalization else {
      return convolution.hasBias ? try builder.parameter("\(convolution.path)/bias") : nil
    }
    let scale = try foldedScale(normalization.path, epsilon: normalization.epsilon)
    return try builder.prepare("folded bias \(convolution.path)") { builder in
      let beta = try builder.parameter("\(normalization.path)/beta")
      let mean = try builder.parameter("\(normalization.path)/moving_mean")
      let count = beta.layout.shape[0]
      let bias = builder.persistent(try .plain([count]))
      let own = convolution.hasFrozenBias ? [try builder.parameter("\(convolution.path)/bias")] : []
      builder.run([beta, mean, scale, bias] + own, name: "\(convolution.path) fold bias") { p in
        for i in 0..<count { p[3][i] = p[0][i] + ((p.count > 4 ? p[4][i] : 0) - p[1][i]) * p[2][i] }
      }
      return bias
    }
  }

  /// gamma / sqrt(moving variance + epsilon).
  private mutating func foldedScale(_ path: String, epsilon: Float) throws -> Buffer {
    try builder.prepare("folded scale \(path)") { builder in
      let gamma = try builder.parameter("\(path)/gamma")
      let variance = try builder.parameter("\(path)/moving_variance")
      let count = gamma.layout.shape[0]
      let scale = builder.persistent(try .plain([count]))
      builder.run([gamma, variance, scale], name: "\(path) fold scale") { p in
        for i in 0..<count { p[2][i] = p[0][i] / (p[1][i] + epsilon).squareRoot() }
      }
      return scale
    }
  }
}
