/// What becomes of a graph's nodes when operations that follow a convolution are done by the convolution as it stores its
/// result: one pass over memory less for each.
struct Fusion {
  /// Inputs of a merged convolution: what it reads, then what it adds.
  private(set) var operations: [Operation]
  private(set) var inputs: [[Int]]
  /// Nodes that a later one has taken over.
  private(set) var isMerged: [Bool]
  private var useCounts: [Int]
  /// By node: the last one that reads its value; the number of nodes where it is an output of the graph.
  private(set) var lastUse: [Int]

  /// - Parameter isTraining: batch normalisation then works on the batch's statistics and cannot be folded.
  init(_ graph: Graph, isTraining: Bool) {
    operations = graph.nodes.map(\.operation)
    inputs = graph.nodes.map { $0.inputs.map(\.index) }
    isMerged = Array(repeating: false, count: operations.count)
    useCounts = Array(repeating: 0, count: operations.count)
    lastUse = Array(operations.indices)
    for input in inputs.joined() { useCounts[input] += 1 }
    let outputs = graph.outputs.flatMap { $0.values.map(\.index) }
    for output in outputs { useCounts[output] += 1 }
    for index in operations.indices { merge(at: index, isTraining: isTraining) }
    for index in operations.indices where !isMerged[index] { for input in inputs[index] { lastUse[input] = index } }
    for output in outputs { lastUse[output] = operations.count }
  }

  func isOnlyUse(of value: Int) -> Bool { useCounts[value] == 1 }

  private mutating func merge(at index: Int, isTraining: Bool) {
    switch operations[index] {
    case .batchNormalization(let path, let epsilon, let relu) where !isTraining:
      guard var convolution = mergeable(inputs[index][0]), convolution.frozenNormalization == nil else { return }
      convolution.frozenNormalization = (path, epsilon)
      convolution.hasFrozenBias = convolution.hasBias
      convolution.hasBias = false
      convolution.relu = relu
      take(inputs[index][0], as: convolution, at: index)
    case .relu:
      guard var convolution = mergeable(inputs[index][0]) else { return }
      convolution.relu = true
      take(inputs[index][0], as: convolution, at: index)
    case .add(let relu):
      for (own, other) in [(0, 1), (1, 0)] {
        guard var convolution = mergeable(inputs[index][own]), convolution.summand == nil else { continue }
        convolution.summand = .same
        convolution.relu = relu
        return take(inputs[index][own], adding: inputs[index][other], as: convolution, at: index)
      }
    case .upsampleAdd:
      guard var convolution = mergeable(inputs[index][0]), convolution.summand == nil else { return }
      convolution.summand = .upsampled
      take(inputs[index][0], adding: inputs[index][1], as: convolution, at: index)
    default: return
    }
  }

  /// The convolution that gives a value, if its result goes nowhere else and is stored as it is.
  private func mergeable(_ value: Int) -> Convolution? {
    guard case .convolution(let convolution) = operations[value], !convolution.relu, isOnlyUse(of: value) else { return nil }
    return convolution
  }

  private mutating func take(_ source: Int, adding summand: Int? = nil, as convolution: Convolution, at index: Int) {
    operations[index] = .convolution(convolution)
    inputs[index] = inputs[source] + (summand.map { [$0] } ?? [])
    isMerged[source] = true
  }
}
