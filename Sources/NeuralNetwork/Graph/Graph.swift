/// A network as a list of operations in the order in which they run. Spatial extents are left open: a graph is compiled
/// for each input size.
public struct Graph: Sendable {
  /// The result of an operation.
  public struct Value: Hashable, Sendable {
    let index: Int
  }

  struct Node: Sendable {
    let operation: Operation
    let inputs: [Value]
    /// Of the result.
    let channels: Int
    let name: String
  }

  /// Several values of the same channels laid out as one array, image by image: [images, locations, channels], where
  /// locations run through the values in order, each row by row. How a detector's levels become rows of anchors.
  public struct Output: Hashable, Sendable {
    let index: Int
  }

  struct OutputNode: Sendable {
    let name: String
    let values: [Value]
  }

  private(set) var nodes: [Node] = []
  private(set) var outputs: [OutputNode] = []
  public private(set) var parameters: [ParameterDeclaration] = []
  private var declared: [String: Int] = [:]

  public init() {}

  public func channels(of value: Value) -> Int { nodes[value.index].channels }

  mutating func append(_ operation: Operation, inputs: [Value], channels: Int, name: String) -> Value {
    nodes.append(Node(operation: operation, inputs: inputs, channels: channels, name: name))
    return Value(index: nodes.count - 1)
  }

  /// Declares a parameter; the same path with the same declaration again means that it is shared.
  mutating func declare(_ path: String, shape: [Int], _ initializer: Initializer, isTrainable: Bool) {
    let declaration = ParameterDeclaration(path: path, shape: shape, initializer: initializer, isTrainable: isTrainable)
    if let known = declared[path] {
      precondition(parameters[known] == declaration, "parameter \(path) is declared in two ways")
      return
    }
    declared[path] = parameters.count
    parameters.append(declaration)
  }

  /// Names values as a result that can be read after `forward` and given a gradient before `backward`.
  /// - Precondition: all have the same channels.
  public mutating func output(_ values: [Value], name: String) -> Output {
    precondition(Set(values.map { channels(of: $0) }).count == 1, "output \(name) joins values of different channels")
    outputs.append(OutputNode(name: name, values: values))
    return Output(index: outputs.count - 1)
  }
}
