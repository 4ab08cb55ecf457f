import COneDNN

/// Batch normalisation over the images of several processes. oneDNN normalises with given statistics; these are made of
/// each process' own, and what the statistics' own dependence on the input adds to its gradient is put in afterwards.
extension Compiler {
  /// Fills mean and variance, [channels].
  /// - Returns: [1]: how many values of a channel they are of.
  mutating func emitSynchronizedStatistics(
    of x: Buffer, _ mean: Buffer, _ variance: Buffer, path: String, sum: @escaping Program.SumOverProcesses
  ) throws -> Buffer {
    let channels = x.layout.shape[1]
    let ownCount = Double(x.layout.shape.reduce(1, *) / channels)
    let own = try Primitive.batchNormalization(dnnl_forward_training, x.layout, epsilon: 1, name: "\(path) statistics")
    let unused = builder.temporary(x.layout)
    try builder.run(
      own, [(DNNL_ARG_SRC, x), (DNNL_ARG_DST, unused), (DNNL_ARG_MEAN, mean), (DNNL_ARG_VARIANCE, variance)],
      name: "\(path) statistics")
    let total = builder.temporary(try .plain([1]))
    builder.run([mean, variance, total], name: "\(path) all-reduce") { p in
      var sums = [Double](repeating: 0, count: 2 * channels + 1)
      for i in 0..<channels {
        let mean = Double(p[0][i])
        sums[i] = ownCount * mean
        sums[channels + i] = ownCount * (Double(p[1][i]) + mean * mean)
      }
      sums[2 * channels] = ownCount
      try sum(&sums)
      let count = sums[2 * channels]
      for i in 0..<channels {
        let mean = sums[i] / count
        p[0][i] = Float(mean)
        p[1][i] = Float(max(0, sums[channels + i] / count - mean * mean))
      }
      p[2][0] = Float(count)
    }
    return total
  }

  /// dx - gamma / sqrt(variance + epsilon) · (sum of dy + normalised x · sum of dy · normalised x) / count, where dx so far
  /// takes the statistics for constants, and the sums, d beta and d gamma, are over all processes.
  mutating func emitSynchronizedCorrection(
    of dx: Buffer, x: Buffer, _ mean: Buffer, _ variance: Buffer, _ gamma: Buffer, _ dGamma: Buffer, _ dBeta: Buffer,
    _ total: Buffer, epsilon: Float, path: String, sum: @escaping Program.SumOverProcesses
  ) throws {
    let channels = x.layout.shape[1]
    let scale = builder.temporary(gamma.layout)
    let shift = builder.temporary(gamma.layout)
    builder.run([dGamma, dBeta, gamma, variance, total, scale, shift], name: "\(path) backward all-reduce") { p in
      var sums = [Double](repeating: 0, count: 2 * channels)
      for i in 0..<channels { (sums[i], sums[channels + i]) = (Double(p[0][i]), Double(p[1][i])) }
      try sum(&sums)
      for i in 0..<channels {
        let factor = -Double(p[2][i]) / (Double(p[3][i]) + Double(epsilon)).squareRoot() / Double(p[4][0])
        p[5][i] = Float(factor * sums[i])
        p[6][i] = Float(factor * sums[channels + i])
      }
    }
    let flags = dnnl_use_scale.rawValue | dnnl_use_shift.rawValue | dnnl_use_global_stats.rawValue
    let normalization = try Primitive.batchNormalization(
      dnnl_forward_inference, x.layout, epsilon: epsilon, flags: flags, name: "\(path) correction")
    let correction = builder.temporary(x.layout)
    try builder.run(
      normalization,
      [
        (DNNL_ARG_SRC, x), (DNNL_ARG_DST, correction), (DNNL_ARG_MEAN, mean), (DNNL_ARG_VARIANCE, variance),
        (DNNL_ARG_SCALE, scale), (DNNL_ARG_SHIFT, shift),
      ], name: "\(path) correction")
    let addition = try Primitive.sum([dx.layout, correction.layout], into: dx.layout, name: "\(path) correction")
    try builder.run(
      addition,
      [(DNNL_ARG_MULTIPLE_SRC, dx), (DNNL_ARG_MULTIPLE_SRC + 1, correction), (DNNL_ARG_DST, dx)],
      name: "\(path) correction sum")
  }
}
