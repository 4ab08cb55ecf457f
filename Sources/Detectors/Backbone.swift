import NeuralNetwork

/// A backbone alone, for its features. Not for use by two threads at once.
public final class Backbone {
  public let architecture: ResNetArchitecture
  public let parameters: Parameters
  /// C2...C5: [images, locations, channels] each.
  public let stages: [Graph.Output]
  private let graph: Graph

  /// - Parameter seed: of the initial parameters; nil leaves them 0, for weights to be loaded.
  /// - Throws: `DetectorError` where sizes do not fit together.
  public init(_ architecture: ResNetArchitecture, seed: UInt64?) throws {
    try architecture.validate()
    self.architecture = architecture
    var graph = Graph()
    let image = graph.input(channels: 3)
    let values = architecture.build(in: &graph, image: image, path: "backbone")
    stages = values.enumerated().map { graph.output([$0.element], name: "C\($0.offset + 2)") }
    self.graph = graph
    parameters = try Parameters(graph.parameters, seed: seed)
  }

  /// The network compiled for batches of this size, for inference.
  public func program(images: Int, height: Int, width: Int) throws -> Program {
    try Program.compile(
      graph, parameters: parameters, inputShape: [images, 3, height, width], training: false)
  }

  /// The parameters' shapes by path: what weights are matched against.
  public var expectedShapes: [String: [Int]] { parameters.shapes }
}
