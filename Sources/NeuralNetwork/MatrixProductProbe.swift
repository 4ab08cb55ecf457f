import COneDNN

/// How fast this machine multiplies matrices now: what layers are held against.
public enum MatrixProductProbe {
  /// The best of a few products of two square fp32 matrices, as oneDNN lays them out.
  public static func flopsPerSecond(size: Int = 2048, runs: Int = 8, threadTime: Bool = false) throws -> Double {
    let name = "matrix product"
    var plain = try MemoryDescriptor.plain([size, size]).raw
    var any = try MemoryDescriptor.any([size, size]).raw
    var description = dnnl_matmul_desc_t()
    try OneDNN.check(dnnl_matmul_desc_init(&description, &plain, &any, nil, &plain), name)
    let primitive = try Primitive(&description, name: name)
    var builder = ProgramBuilder(parameters: try Parameters([], seed: 0), isTraining: false)
    let a = try builder.persistent(.plain([size, size]))
    let b = try builder.persistent(primitive.requiredLayout(dnnl_query_weights_md, name))
    let c = try builder.persistent(.plain([size, size]))
    builder.run(
      primitive, [(DNNL_ARG_SRC, a), (DNNL_ARG_WEIGHTS, b), (DNNL_ARG_DST, c)],
      flops: 2 * Double(size) * Double(size) * Double(size), name: name)
    let program = try Program(builder: builder, input: a, outputs: [])
    let rates = try (0..<max(1, runs)).flatMap { _ in try program.profile(includingBackward: false, threadTime: threadTime) }
      .map { $0.flops / $0.seconds }
    return rates.max() ?? 0
  }
}
