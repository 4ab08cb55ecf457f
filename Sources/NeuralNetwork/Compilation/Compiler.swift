import COneDNN

/// Turns a graph into the steps of a program for one input size.
struct Compiler {
  let graph: Graph
  var builder: ProgramBuilder
  /// What is known of each value so far.
  var buffers: [Buffer?]
  /// Whether a parameter upstream of the value, or the value's own, is trained.
  var needsGradient: [Bool]
  let fusion: Fusion
  let types: TypePlan
  let sumOverProcesses: Program.SumOverProcesses?
  private let inputShape: [Int]
  private var gradients: [Gradient?]
  /// What a node's backward pass needs of its forward pass.
  var backwardPasses: [((inout Compiler) throws -> Void)?]

  struct Gradient {
    var buffer: Buffer
    /// Another value's gradient lies in the same memory, or the memory is the caller's: not to be written to.
    var isShared: Bool
  }

  /// - Parameter shape: the input's, [images, channels, height, width].
  init(
    graph: Graph, parameters: Parameters, input shape: [Int], isTraining: Bool, precision: Precision,
    sumOverProcesses: Program.SumOverProcesses?
  ) {
    inputShape = shape
    self.sumOverProcesses = sumOverProcesses
    self.graph = graph
    fusion = Fusion(graph, isTraining: isTraining)
    types = TypePlan(graph, fusion, input: shape, precision: precision)
    builder = ProgramBuilder(parameters: parameters, isTraining: isTraining)
    buffers = Array(repeating: nil, count: graph.nodes.count)
    needsGradient = Array(repeating: false, count: graph.nodes.count)
    gradients = Array(repeating: nil, count: graph.nodes.count)
    backwardPasses = Array(repeating: nil, count: graph.nodes.count)
  }

  mutating func compile() throws -> CompiledGraph {
    let shape = inputShape
    guard shape.count == 4, shape.allSatisfy({ $0 > 0 }) else {
      throw EngineError("input shape \(shape) is not [images, channels, height, width], all positive")
    }
    let input = builder.persistent(try .plain(shape))
    for index in graph.nodes.indices where !fusion.isMerged[index] {
      let node = graph.nodes[index]
      switch fusion.operations[index] {
      case .input:
        guard node.channels == shape[1] else {
          throw EngineError("the network takes \(node.channels) channels, the input has \(shape[1])")
        }
        buffers[index] = input
      case .convolution(let convolution): try emit(convolution, index)
      case .batchNormalization(let path, let epsilon, let relu):
        try emitBatchNormalization(index, path: path, epsilon: epsilon, relu: relu)
      case .groupNormalization(let path, let groups, let epsilon):
        try emitGroupNormalization(index, path: path, groups: groups, epsilon: epsilon)
      case .relu: try emitElementwise(index, dnnl_eltwise_relu, backward: dnnl_eltwise_relu_use_dst_for_bwd)
      case .sigmoid: try emitElementwise(index, dnnl_eltwise_logistic, backward: dnnl_eltwise_logistic_use_dst_for_bwd)
      case .maxPool(let window): try emitMaxPool(index, window)
      case .add(let relu): try emitAdd(index, relu: relu)
      case .upsampleAdd: try emitUpsampleAdd(index)
      }
    }
    let outputs = try graph.outputs.map { try emitOutput($0) }
    if builder.isTraining {
      builder.phase = .backward
      for index in graph.nodes.indices.reversed() where gradients[index] != nil {
        try backwardPasses[index]?(&self)
        gradients[index] = nil
      }
    }
    return CompiledGraph(builder: builder, input: input, outputs: outputs)
  }

  // MARK: Values

  func value(_ index: Int) throws -> Buffer {
    guard let buffer = buffers[index] else { throw EngineError("\(graph.nodes[index].name) has no value") }
    return buffer
  }

  func input(_ index: Int, _ position: Int = 0) -> Int { fusion.inputs[index][position] }

  /// Whether nothing after this node reads the value, in the forward or backward pass, so that it may be overwritten.
  func isFree(_ value: Int, after index: Int) -> Bool {
    guard fusion.lastUse[value] == index else { return false }
    guard builder.isTraining else { return value != 0 }
    // Only a plain convolution's result is of no use to its own backward pass.
    guard case .convolution(let convolution) = fusion.operations[value] else { return false }
    return !convolution.relu && fusion.isOnlyUse(of: value)
  }

  // MARK: Gradients

  /// The gradient of a value, complete when its own backward pass runs.
  func gradient(of index: Int) throws -> Gradient {
    guard let gradient = gradients[index] else { throw EngineError("\(graph.nodes[index].name) has no gradient") }
    return gradient
  }

  /// Adds to a value's gradient.
  mutating func addGradient(_ new: Gradient, to index: Int) throws {
    guard let old = gradients[index] else {
      gradients[index] = new
      return
    }
    let name = "\(graph.nodes[index].name) gradient"
    let layout = try value(index).layout
    var summands = try [old, new].map { gradient in
      let buffer = try builder.reordered(gradient.buffer, to: layout, name: name)
      return Gradient(buffer: buffer, isShared: gradient.isShared && buffer.slot == gradient.buffer.slot)
    }
    // In place in the one that is ours alone; oneDNN sums in place in the first only.
    if summands[0].isShared { summands.reverse() }
    let target = summands[0].isShared ? builder.temporary(layout) : summands[0].buffer
    let primitive = try Primitive.sum([layout, layout], into: layout, name: name)
    try builder.run(
      primitive,
      [(DNNL_ARG_MULTIPLE_SRC, summands[0].buffer), (DNNL_ARG_MULTIPLE_SRC + 1, summands[1].buffer), (DNNL_ARG_DST, target)],
      name: name)
    builder.forgetReorders(of: target)
    gradients[index] = Gradient(buffer: target, isShared: false)
  }

  /// The gradient in front of an element-wise function of which only the result is kept.
  mutating func gradientThrough(
    _ algorithm: dnnl_alg_kind_t, forward: dnnl_alg_kind_t, _ gradient: Gradient, result: Buffer, name: String
  ) throws -> Gradient {
    let hint = try Primitive.elementwise(forward, result.layout, name: name)
    let primitive = try Primitive(of: [result.layout], hint: hint, name: "\(name) backward") {
      dnnl_eltwise_backward_primitive_desc_create(
        $0.result, $0.engine, algorithm, $0.layouts[0], $0.layouts[0], $0.layouts[0], 0, 0, $0.hint, $0.attributes)
    }
    let incoming = try builder.reordered(gradient.buffer, to: result.layout, name: name)
    let isOwn = !gradient.isShared || incoming.slot != gradient.buffer.slot
    let target = isOwn ? incoming : builder.temporary(result.layout)
    try builder.run(
      primitive, [(DNNL_ARG_DST, result), (DNNL_ARG_DIFF_DST, incoming), (DNNL_ARG_DIFF_SRC, target)],
      name: "\(name) backward")
    builder.forgetReorders(of: target)
    return Gradient(buffer: target, isShared: false)
  }

  // MARK: Outputs

  /// Reorders the values straight into their rows of [images, locations, channels], and back for the gradient.
  private mutating func emitOutput(_ output: Graph.OutputNode) throws -> Program.OutputPlan {
    let values = try output.values.map { try value($0.index) }
    let shapes = values.map(\.layout.shape)
    let images = shapes[0][0]
    let channels = shapes[0][1]
    let locations = shapes.map { $0[2] * $0[3] }.reduce(0, +)
    let shape = [images, locations, channels]
    let all = builder.persistent(try .plain(shape))
    let gradient = builder.isTraining ? builder.persistent(try .plain(shape)) : nil
    var start = 0
    for (node, buffer) in zip(output.values, values) {
      let extents = buffer.layout.shape
      let strides = [locations * channels, 1, extents[3] * channels, channels]
      let layout = try MemoryDescriptor(shape: extents, strides: strides)
      try builder.reorder(
        buffer, into: Buffer(slot: all.slot, layout: layout, offset: start * channels), name: output.name)
      if let gradient, needsGradient[node.index] {
        let view = Buffer(slot: gradient.slot, layout: layout, offset: start * channels)
        try addGradient(Gradient(buffer: view, isShared: true), to: node.index)
      }
      start += extents[2] * extents[3]
    }
    return Program.OutputPlan(
      name: output.name, shape: shape, levels: shapes.map { [$0[2], $0[3]] }, value: all, gradient: gradient)
  }
}
