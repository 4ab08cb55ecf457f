import COneDNN

extension Compiler {
  mutating func emitElementwise(_ index: Int, _ algorithm: dnnl_alg_kind_t, backward: dnnl_alg_kind_t) throws {
    let name = graph.nodes[index].name
    let source = input(index)
    let x = try value(source)
    var layout = x.layout.raw
    var description = dnnl_eltwise_desc_t()
    try OneDNN.check(
      dnnl_eltwise_forward_desc_init(&description, dnnl_forward_training, algorithm, &layout, 0, 0), name)
    let y = builder.temporary(x.layout)
    builder.run(try Primitive(&description, name: name), [(DNNL_ARG_SRC, x), (DNNL_ARG_DST, y)], name: name)
    buffers[index] = y
    needsGradient[index] = needsGradient[source]
    guard needsGradient[index] else { return }
    backwardPasses[index] = { compiler in
      let gradient = try compiler.gradientThrough(
        backward, forward: algorithm, try compiler.gradient(of: index), result: y, name: name)
      try compiler.addGradient(gradient, to: source)
    }
  }

  mutating func emitAdd(_ index: Int, relu: Bool) throws {
    let name = graph.nodes[index].name
    let (first, second) = (input(index, 0), input(index, 1))
    let a = try value(first)
    guard try value(second).layout.shape == a.layout.shape else {
      throw EngineError("\(name): shapes \(a.layout.shape) and \(try value(second).layout.shape) differ")
    }
    let b = try builder.reordered(try value(second), to: a.layout, name: name)
    var layout = a.layout.raw
    var description = dnnl_binary_desc_t()
    try OneDNN.check(dnnl_binary_desc_init(&description, dnnl_binary_add, &layout, &layout, &layout), name)
    let primitive = try Primitive(&description, attributes: relu ? Attributes(.relu) : nil, name: name)
    let y = builder.temporary(a.layout)
    builder.run(primitive, [(DNNL_ARG_SRC_0, a), (DNNL_ARG_SRC_1, b), (DNNL_ARG_DST, y)], name: name)
    buffers[index] = y
    needsGradient[index] = needsGradient[first] || needsGradient[second]
    guard needsGradient[index] else { return }
    backwardPasses[index] = { compiler in
      var gradient = try compiler.gradient(of: index)
      if relu {
        gradient = try compiler.gradientThrough(
          dnnl_eltwise_relu_use_dst_for_bwd, forward: dnnl_eltwise_relu, gradient, result: y, name: "\(name) relu")
      }
      gradient.isShared = true  // both summands have this gradient
      for summand in [first, second] where compiler.needsGradient[summand] {
        try compiler.addGradient(gradient, to: summand)
      }
    }
  }

  mutating func emitUpsampleAdd(_ index: Int) throws {
    let name = graph.nodes[index].name
    let (lateral, top) = (input(index, 0), input(index, 1))
    let x = try value(top)
    let side = try value(lateral)
    let upsampled = builder.temporary(side.layout)
    try emitUpsampling(x, into: upsampled, name: name)
    let sum = try Primitive.sum([upsampled.layout, side.layout], into: side.layout, name: name)
    builder.run(
      sum, [(DNNL_ARG_MULTIPLE_SRC, upsampled), (DNNL_ARG_MULTIPLE_SRC + 1, side), (DNNL_ARG_DST, upsampled)], name: name)
    buffers[index] = upsampled
    needsGradient[index] = needsGradient[lateral] || needsGradient[top]
    guard needsGradient[index] else { return }
    backwardPasses[index] = { compiler in
      var gradient = try compiler.gradient(of: index)
      if compiler.needsGradient[top] {
        let dx = try compiler.emitUpsamplingGradient(gradient.buffer, of: x, name: name)
        try compiler.addGradient(Gradient(buffer: dx, isShared: false), to: top)
      }
      if compiler.needsGradient[lateral] {
        gradient.isShared = true
        try compiler.addGradient(gradient, to: lateral)
      }
    }
  }

  /// Nearest, by 2, into a buffer that has the extents of the result.
  mutating func emitUpsampling(_ x: Buffer, into y: Buffer, name: String) throws {
    let (from, to) = (x.layout.shape, y.layout.shape)
    guard from[0] == to[0], from[1] == to[1], from[2] * 2 == to[2], from[3] * 2 == to[3] else {
      throw EngineError("\(name): \(from) up-sampled by 2 is not \(to); pad the input to a multiple of its largest stride")
    }
    let x = try builder.reordered(x, to: x.layout.of(y.layout.type), name: name)
    builder.run(
      try Self.upsampling(from: x.layout, to: y.layout, name: name), [(DNNL_ARG_SRC, x), (DNNL_ARG_DST, y)],
      name: "\(name) up-sampling")
  }

  /// The gradient of the value that was up-sampled.
  mutating func emitUpsamplingGradient(_ gradient: Buffer, of x: Buffer, name: String) throws -> Buffer {
    let dxLayout = try x.layout.of(gradient.layout.type)
    let forward = try Self.upsampling(from: dxLayout, to: gradient.layout, name: name)
    var (dxRaw, dyRaw) = (dxLayout.raw, gradient.layout.raw)
    var description = dnnl_resampling_desc_t()
    try OneDNN.check(
      dnnl_resampling_backward_desc_init(&description, dnnl_resampling_nearest, nil, &dxRaw, &dyRaw),
      "\(name) backward")
    let backward = try Primitive(&description, hint: forward, name: "\(name) backward")
    let dx = builder.temporary(dxLayout)
    builder.run(backward, [(DNNL_ARG_DIFF_DST, gradient), (DNNL_ARG_DIFF_SRC, dx)], name: "\(name) up-sampling backward")
    return dx
  }

  private static func upsampling(from x: MemoryDescriptor, to y: MemoryDescriptor, name: String) throws -> Primitive {
    var description = dnnl_resampling_desc_t()
    try OneDNN.check(
      withUnsafePointer(to: x.raw) { x in
        withUnsafePointer(to: y.raw) { y in
          dnnl_resampling_forward_desc_init(&description, dnnl_forward_training, dnnl_resampling_nearest, nil, x, y)
        }
      }, name)
    return try Primitive(&description, name: name)
  }

  mutating func emitMaxPool(_ index: Int, _ window: Window) throws {
    let name = graph.nodes[index].name
    let source = input(index)
    let x = try value(source)
    let shape = x.layout.shape
    let extents = try shape.dropFirst(2).map { extent in
      let count = window.resultCount(extent)
      guard count > 0 else { throw EngineError("\(name): \(shape) is smaller than the window") }
      return count
    }
    let strides = [Int64](repeating: Int64(window.stride), count: 2)
    let kernel = [Int64](repeating: Int64(window.kernel), count: 2)
    let begin = shape.dropFirst(2).map { Int64(window.margins($0).before) }
    // At the far side only as much padding as the last window needs.
    let end = zip(extents, zip(shape.dropFirst(2), begin)).map { count, axis in
      Int64((count - 1) * window.stride + window.kernel - axis.0) - axis.1
    }
    var xLayout = x.layout.raw
    var yAny = try MemoryDescriptor.any([shape[0], shape[1]] + extents, x.layout.type).raw
    var description = dnnl_pooling_desc_t()
    try OneDNN.check(
      dnnl_pooling_forward_desc_init(
        &description, builder.isTraining ? dnnl_forward_training : dnnl_forward_inference, dnnl_pooling_max, &xLayout,
        &yAny, strides, kernel, begin, end), name)
    let forward = try Primitive(&description, name: name)
    let y = builder.temporary(try forward.requiredLayout(dnnl_query_dst_md, name))
    var arguments = [(DNNL_ARG_SRC, x), (DNNL_ARG_DST, y)]
    var workspace: Buffer?
    if builder.isTraining, let layout = forward.layout(dnnl_query_workspace_md), layout.byteCount > 0 {
      let buffer = builder.temporary(layout)
      arguments.append((DNNL_ARG_WORKSPACE, buffer))
      workspace = buffer
    }
    builder.run(forward, arguments, name: name)
    buffers[index] = y
    needsGradient[index] = needsGradient[source]
    guard needsGradient[index] else { return }
    backwardPasses[index] = { compiler in
      let gradient = try compiler.gradient(of: index)
      var dxLayout = x.layout.raw
      var dyLayout = y.layout.raw
      var description = dnnl_pooling_desc_t()
      try OneDNN.check(
        dnnl_pooling_backward_desc_init(
          &description, dnnl_pooling_max, &dxLayout, &dyLayout, strides, kernel, begin, end), "\(name) backward")
      let backward = try Primitive(&description, hint: forward, name: "\(name) backward")
      let dy = try compiler.builder.reordered(gradient.buffer, to: y.layout, name: name)
      let dx = compiler.builder.temporary(x.layout)
      var arguments = [(DNNL_ARG_DIFF_DST, dy), (DNNL_ARG_DIFF_SRC, dx)]
      if let workspace { arguments.append((DNNL_ARG_WORKSPACE, workspace)) }
      compiler.builder.run(backward, arguments, name: "\(name) backward")
      try compiler.addGradient(Gradient(buffer: dx, isShared: false), to: source)
    }
  }
}
