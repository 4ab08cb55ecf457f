import COneDNN

extension Compiler {
  mutating func emitElementwise(_ index: Int, _ algorithm: dnnl_alg_kind_t, backward: dnnl_alg_kind_t) throws {
    let name = graph.nodes[index].name
    let source = input(index)
    let x = try value(source)
    let y = builder.temporary(x.layout)
    try builder.run(.elementwise(algorithm, x.layout, name: name), [(DNNL_ARG_SRC, x), (DNNL_ARG_DST, y)], name: name)
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
    let primitive = try Primitive(of: [a.layout], attributes: relu ? Attributes(.relu) : nil, name: name) {
      dnnl_binary_primitive_desc_create(
        $0.result, $0.engine, dnnl_binary_add, $0.layouts[0], $0.layouts[0], $0.layouts[0], $0.attributes)
    }
    let y = builder.temporary(a.layout)
    try builder.run(primitive, [(DNNL_ARG_SRC_0, a), (DNNL_ARG_SRC_1, b), (DNNL_ARG_DST, y)], name: name)
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
    try builder.run(
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
    try builder.run(
      Self.upsampling(from: x.layout, to: y.layout, name: name), [(DNNL_ARG_SRC, x), (DNNL_ARG_DST, y)],
      name: "\(name) up-sampling")
  }

  /// The gradient of the value that was up-sampled.
  mutating func emitUpsamplingGradient(_ gradient: Buffer, of x: Buffer, name: String) throws -> Buffer {
    let dxLayout = try x.layout.of(gradient.layout.type)
    let forward = try Self.upsampling(from: dxLayout, to: gradient.layout, name: name)
    let backward = try Primitive(of: [dxLayout, gradient.layout], hint: forward, name: "\(name) backward") {
      dnnl_resampling_backward_primitive_desc_create(
        $0.result, $0.engine, dnnl_resampling_nearest, nil, $0.layouts[0], $0.layouts[1], $0.hint, $0.attributes)
    }
    let dx = builder.temporary(dxLayout)
    try builder.run(backward, [(DNNL_ARG_DIFF_DST, gradient), (DNNL_ARG_DIFF_SRC, dx)], name: "\(name) up-sampling backward")
    return dx
  }

  private static func upsampling(from x: MemoryDescriptor, to y: MemoryDescriptor, name: String) throws -> Primitive {
    try Primitive(of: [x, y], name: name) {
      dnnl_resampling_forward_primitive_desc_create(
        $0.result, $0.engine, dnnl_forward_training, dnnl_resampling_nearest, nil, $0.layouts[0], $0.layouts[1],
        $0.attributes)
    }
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
    let dilations: [Int64] = [0, 0]
    let pass = builder.isTraining ? dnnl_forward_training : dnnl_forward_inference
    let yAny = try MemoryDescriptor.any([shape[0], shape[1]] + extents, x.layout.type)
    let forward = try Primitive(of: [x.layout, yAny], name: name) {
      dnnl_pooling_forward_primitive_desc_create(
        $0.result, $0.engine, pass, dnnl_pooling_max, $0.layouts[0], $0.layouts[1], strides, kernel, dilations, begin, end,
        $0.attributes)
    }
    let y = builder.temporary(try forward.requiredLayout(dnnl_query_dst_md, name))
    var arguments = [(DNNL_ARG_SRC, x), (DNNL_ARG_DST, y)]
    var workspace: Buffer?
    if builder.isTraining, let layout = try forward.layout(dnnl_query_workspace_md), layout.byteCount > 0 {
      let buffer = builder.temporary(layout)
      arguments.append((DNNL_ARG_WORKSPACE, buffer))
      workspace = buffer
    }
    try builder.run(forward, arguments, name: name)
    buffers[index] = y
    needsGradient[index] = needsGradient[source]
    guard needsGradient[index] else { return }
    backwardPasses[index] = { compiler in
      let gradient = try compiler.gradient(of: index)
      let backward = try Primitive(of: [x.layout, y.layout], hint: forward, name: "\(name) backward") {
        dnnl_pooling_backward_primitive_desc_create(
          $0.result, $0.engine, dnnl_pooling_max, $0.layouts[0], $0.layouts[1], strides, kernel, dilations, begin, end,
          $0.hint, $0.attributes)
      }
      let dy = try compiler.builder.reordered(gradient.buffer, to: y.layout, name: name)
      let dx = compiler.builder.temporary(x.layout)
      var arguments = [(DNNL_ARG_DIFF_DST, dy), (DNNL_ARG_DIFF_SRC, dx)]
      if let workspace { arguments.append((DNNL_ARG_WORKSPACE, workspace)) }
      try compiler.builder.run(backward, arguments, name: "\(name) backward")
      try compiler.addGradient(Gradient(buffer: dx, isShared: false), to: source)
    }
  }
}

extension Primitive {
  /// Result and source have one layout.
  static func elementwise(_ algorithm: dnnl_alg_kind_t, _ layout: MemoryDescriptor, name: String) throws -> Primitive {
    try Primitive(of: [layout], name: name) {
      dnnl_eltwise_forward_primitive_desc_create(
        $0.result, $0.engine, dnnl_forward_training, algorithm, $0.layouts[0], $0.layouts[0], 0, 0, $0.attributes)
    }
  }
}
