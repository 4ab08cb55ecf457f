import COneDNN
import Parallel

extension Compiler {
  /// Training: on the batch's statistics, of all processes' images together if there are several; moving ones updated.
  /// Inference: on the moving statistics.
  mutating func emitBatchNormalization(_ index: Int, path: String, epsilon: Float, relu: Bool) throws {
    let source = input(index)
    let x = try value(source)
    let channels = x.layout.shape[1]
    let gamma = try builder.parameter("\(path)/gamma")
    let beta = try builder.parameter("\(path)/beta")
    let movingMean = try builder.parameter("\(path)/moving_mean")
    let movingVariance = try builder.parameter("\(path)/moving_variance")
    let training = builder.isTraining
    let scaleFlags = dnnl_use_scale.rawValue | dnnl_use_shift.rawValue | (relu ? dnnl_fuse_norm_relu.rawValue : 0)
    let synchronized = training ? sumOverProcesses : nil
    let flags = scaleFlags | (training && synchronized == nil ? 0 : dnnl_use_global_stats.rawValue)
    let forward = try Primitive.batchNormalization(
      training ? dnnl_forward_training : dnnl_forward_inference, x.layout, epsilon: epsilon, flags: flags, name: path)
    let y = builder.temporary(x.layout)
    let mean = training ? builder.temporary(try .plain([channels])) : movingMean
    let variance = training ? builder.temporary(try .plain([channels])) : movingVariance
    var arguments = [
      (DNNL_ARG_SRC, x), (DNNL_ARG_DST, y), (DNNL_ARG_SCALE, gamma), (DNNL_ARG_SHIFT, beta),
      (DNNL_ARG_MEAN, mean), (DNNL_ARG_VARIANCE, variance),
    ]
    var workspace: Buffer?
    if training, let layout = try forward.layout(dnnl_query_workspace_md), layout.byteCount > 0 {
      let buffer = builder.temporary(layout)
      arguments.append((DNNL_ARG_WORKSPACE, buffer))
      workspace = buffer
    }
    let total = try synchronized.map { try emitSynchronizedStatistics(of: x, mean, variance, path: path, sum: $0) }
    try builder.run(forward, arguments, name: path)
    buffers[index] = y
    needsGradient[index] = training
    guard training else { return }

    let count = Float(x.layout.shape.reduce(1, *) / channels)
    builder.run([mean, variance, movingMean, movingVariance] + (total.map { [$0] } ?? []), name: "\(path) moving statistics") { p in
      let count = p.count > 4 ? p[4][0] : count
      let unbias = count > 1 ? count / (count - 1) : 1
      for i in 0..<channels {
        p[2][i] += 0.1 * (p[0][i] - p[2][i])
        p[3][i] += 0.1 * (p[1][i] * unbias - p[3][i])
      }
    }
    backwardPasses[index] = { compiler in
      let gradient = try compiler.gradient(of: index)
      let backward = try Primitive.batchNormalizationBackward(
        dnnl_backward, x.layout, epsilon: epsilon, flags: flags, hint: forward, name: "\(path) backward")
      let dy = try compiler.builder.reordered(gradient.buffer, to: x.layout, name: path)
      let dx = compiler.builder.temporary(x.layout)
      let dGamma = compiler.builder.temporary(gamma.layout)
      let dBeta = compiler.builder.temporary(beta.layout)
      var inputs = [
        (DNNL_ARG_SRC, x), (DNNL_ARG_MEAN, mean), (DNNL_ARG_VARIANCE, variance), (DNNL_ARG_SCALE, gamma),
        (DNNL_ARG_DIFF_DST, dy),
      ]
      if let workspace { inputs.append((DNNL_ARG_WORKSPACE, workspace)) }
      // oneDNN 2 wants the shift as well, though no gradient depends on it.
      if backward.inputCount > inputs.count { inputs.append((DNNL_ARG_SHIFT, beta)) }
      let outputs = [(DNNL_ARG_DIFF_SRC, dx), (DNNL_ARG_DIFF_SCALE, dGamma), (DNNL_ARG_DIFF_SHIFT, dBeta)]
      try compiler.builder.run(backward, inputs + outputs, name: "\(path) backward")
      try compiler.builder.storeGradient(dGamma, path: "\(path)/gamma")
      try compiler.builder.storeGradient(dBeta, path: "\(path)/beta")
      if compiler.needsGradient[source] {
        if let synchronized, let total {
          try compiler.emitSynchronizedCorrection(
            of: dx, x: x, mean, variance, gamma, dGamma, dBeta, total, epsilon: epsilon, path: path, sum: synchronized)
        }
        try compiler.addGradient(Gradient(buffer: dx, isShared: false), to: source)
      }
    }
  }

  /// Batch normalisation of the view [1, images · groups, channels / groups, height · width], which has the group's
  /// statistics, then gamma and beta by channel.
  mutating func emitGroupNormalization(_ index: Int, path: String, groups: Int, epsilon: Float) throws {
    let source = input(index)
    let shape = try value(source).layout.shape
    let plain = try MemoryDescriptor.plain(shape)
    let x = try builder.reordered(try value(source), to: plain, name: path)
    let (images, channels, area) = (shape[0], shape[1], shape[2] * shape[3])
    let view = try MemoryDescriptor.plain([1, images * groups, channels / groups, area])
    let gamma = try builder.parameter("\(path)/gamma")
    let beta = try builder.parameter("\(path)/beta")
    let forward = try Primitive.batchNormalization(dnnl_forward_training, view, epsilon: epsilon, name: path)
    let normalized = builder.temporary(view)
    let statistics = try MemoryDescriptor.plain([images * groups])
    let mean = builder.temporary(statistics)
    let variance = builder.temporary(statistics)
    let xView = Buffer(slot: x.slot, layout: view, offset: x.offset)
    try builder.run(
      forward,
      [(DNNL_ARG_SRC, xView), (DNNL_ARG_DST, normalized), (DNNL_ARG_MEAN, mean), (DNNL_ARG_VARIANCE, variance)],
      name: path)
    let y = builder.temporary(plain)
    builder.run([normalized, gamma, beta, y], name: "\(path) scale") { p in
      Parallel.forChunks(of: images * channels) { _, planes in
        for plane in planes {
          let (scale, shift) = (p[1][plane % channels], p[2][plane % channels])
          let (from, to) = (p[0] + plane * area, p[3] + plane * area)
          for i in 0..<area { to[i] = scale * from[i] + shift }
        }
      }
    }
    buffers[index] = y
    needsGradient[index] = builder.isTraining
    guard builder.isTraining else { return }

    backwardPasses[index] = { compiler in
      let gradient = try compiler.gradient(of: index)
      let dy = try compiler.builder.reordered(gradient.buffer, to: plain, name: path)
      let dNormalized = compiler.builder.temporary(view)
      let dGamma = compiler.builder.temporary(gamma.layout)
      let dBeta = compiler.builder.temporary(beta.layout)
      compiler.builder.run([dy, normalized, gamma, dNormalized, dGamma, dBeta], name: "\(path) scale backward") { p in
        Parallel.forChunks(of: channels) { _, range in
          for channel in range {
            var gammaSum: Float = 0
            var betaSum: Float = 0
            for image in 0..<images {
              let start = (image * channels + channel) * area
              for i in start..<(start + area) {
                gammaSum += p[0][i] * p[1][i]
                betaSum += p[0][i]
                p[3][i] = p[0][i] * p[2][channel]
              }
            }
            p[4][channel] = gammaSum
            p[5][channel] = betaSum
          }
        }
      }
      try compiler.builder.storeGradient(dGamma, path: "\(path)/gamma")
      try compiler.builder.storeGradient(dBeta, path: "\(path)/beta")
      guard compiler.needsGradient[source] else { return }
      let backward = try Primitive.batchNormalizationBackward(
        dnnl_backward_data, view, epsilon: epsilon, hint: forward, name: "\(path) backward")
      let dx = compiler.builder.temporary(view)
      try compiler.builder.run(
        backward,
        [
          (DNNL_ARG_SRC, xView), (DNNL_ARG_MEAN, mean), (DNNL_ARG_VARIANCE, variance),
          (DNNL_ARG_DIFF_DST, dNormalized), (DNNL_ARG_DIFF_SRC, dx),
        ], name: "\(path) backward")
      try compiler.addGradient(Gradient(buffer: Buffer(slot: dx.slot, layout: plain), isShared: false), to: source)
    }
  }
}

extension Primitive {
  /// All operands have one layout.
  static func batchNormalization(
    _ pass: dnnl_prop_kind_t, _ layout: MemoryDescriptor, epsilon: Float, flags: UInt32 = 0, name: String
  ) throws -> Primitive {
    try Primitive(of: [layout], name: name) {
      dnnl_batch_normalization_forward_primitive_desc_create(
        $0.result, $0.engine, pass, $0.layouts[0], $0.layouts[0], epsilon, flags, $0.attributes)
    }
  }

  fileprivate static func batchNormalizationBackward(
    _ pass: dnnl_prop_kind_t, _ layout: MemoryDescriptor, epsilon: Float, flags: UInt32 = 0, hint: Primitive, name: String
  ) throws -> Primitive {
    try Primitive(of: [layout], hint: hint, name: name) {
      dnnl_batch_normalization_backward_primitive_desc_create(
        $0.result, $0.engine, pass, $0.layouts[0], $0.layouts[0], $0.layouts[0], epsilon, flags, $0.hint, $0.attributes)
    }
  }
}
