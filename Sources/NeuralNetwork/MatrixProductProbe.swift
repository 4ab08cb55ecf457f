import COneDNN

/// How fast this machine multiplies matrices now: what layers are held against.
public struct MatrixProductProbe {
  private let program: Program
  /// Multiplications and additions of a run.
  public let flops: Double

  /// - Parameter size: of two square fp32 matrices, the second one laid out as oneDNN likes it.
  public init(size: Int = 2048) throws {
    let name = "matrix product"
    let primitive = try Primitive(of: [.plain([size, size]), .any([size, size])], name: name) {
      dnnl_matmul_primitive_desc_create($0.result, $0.engine, $0.layouts[0], $0.layouts[1], nil, $0.layouts[0], $0.attributes)
    }
    var builder = ProgramBuilder(parameters: try Parameters([], seed: 0), isTraining: false)
    let a = builder.persistent(try .plain([size, size]))
    let b = builder.persistent(try primitive.requiredLayout(dnnl_query_weights_md, name))
    let c = builder.persistent(try .plain([size, size]))
    flops = 2 * Double(size) * Double(size) * Double(size)
    try builder.run(
      primitive, [(DNNL_ARG_SRC, a), (DNNL_ARG_WEIGHTS, b), (DNNL_ARG_DST, c)], flops: flops, name: name)
    program = try Program(CompiledGraph(builder: builder, input: a, outputs: []))
  }

  public func run() throws { try program.forward() }

  /// The best of a few runs.
  public func flopsPerSecond(runs: Int = 8, threadTime: Bool = false) throws -> Double {
    let rates = try (0..<max(1, runs)).flatMap { _ in try program.profile(includingBackward: false, threadTime: threadTime) }
      .map { $0.flops / $0.seconds }
    return rates.max() ?? 0
  }
}
