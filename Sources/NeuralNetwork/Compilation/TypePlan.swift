import COneDNN

/// In which type each convolution computes and each value is stored.
///
/// With bf16, convolutions compute in it unless a faster algorithm is there in fp32 only, and their results are stored in
/// it where all that read them compute in it too.
struct TypePlan {
  /// By node.
  private(set) var computesInBF16: [Bool]
  private(set) var types: [dnnl_data_type_t]

  init(_ graph: Graph, _ fusion: Fusion, input: [Int], precision: Precision) {
    computesInBF16 = Array(repeating: false, count: graph.nodes.count)
    types = Array(repeating: dnnl_f32, count: graph.nodes.count)
    guard precision == .bf16 else { return }
    let extents = Self.extents(graph, fusion, input: input)
    var readers = Array(repeating: [Int](), count: graph.nodes.count)
    for index in graph.nodes.indices where !fusion.isMerged[index] {
      for source in fusion.inputs[index] { readers[source].append(index) }
      guard case .convolution(let convolution) = fusion.operations[index] else { continue }
      let source = fusion.inputs[index][0]
      let channels = (graph.nodes[source].channels, graph.nodes[index].channels)
      computesInBF16[index] =
        (source == 0 || min(channels.0, channels.1) >= 16)
        && (OneDNN.hasAMX || !convolution.winogradBeatsBF16(channels: channels, extents: extents[index]))
    }
    let outputs = Set(graph.outputs.flatMap { $0.values.map(\.index) })
    for index in graph.nodes.indices.reversed() where mayStoreBF16(index, fusion) && !outputs.contains(index) {
      let wanted = readers[index].allSatisfy { reader in
        if case .maxPool = fusion.operations[reader] { return types[reader] == dnnl_bf16 }
        guard case .convolution = fusion.operations[reader] else { return false }
        // As what is added to a result it has to be of the result's type.
        let isSummand = fusion.inputs[reader].count > 1 && fusion.inputs[reader][1] == index
        let isRead = fusion.inputs[reader][0] == index
        return (!isRead || computesInBF16[reader]) && (!isSummand || types[reader] == dnnl_bf16)
      }
      if wanted { types[index] = dnnl_bf16 }
    }
    for index in graph.nodes.indices where !fusion.isMerged[index] {
      if case .maxPool = fusion.operations[index] { types[index] = types[fusion.inputs[index][0]] }
    }
  }

  /// Pooling gives the type that it reads.
  private func mayStoreBF16(_ index: Int, _ fusion: Fusion) -> Bool {
    if case .maxPool = fusion.operations[index] { return computesInBF16[fusion.inputs[index][0]] }
    return computesInBF16[index]
  }

  /// [height, width] of each value; wrong where shapes do not fit, which compilation finds out.
  private static func extents(_ graph: Graph, _ fusion: Fusion, input: [Int]) -> [[Int]] {
    var extents = Array(repeating: Array(input.suffix(2)), count: graph.nodes.count)
    for index in graph.nodes.indices where !fusion.isMerged[index] && !fusion.inputs[index].isEmpty {
      let source = extents[fusion.inputs[index][0]]
      extents[index] =
        switch fusion.operations[index] {
        case .convolution(let convolution): source.map(convolution.window.resultCount)
        case .maxPool(let window): source.map(window.resultCount)
        default: source
        }
    }
    return extents
  }
}
