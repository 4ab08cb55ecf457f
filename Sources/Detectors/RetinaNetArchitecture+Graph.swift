import NeuralNetwork

extension RetinaNetArchitecture {
  /// The network as a graph, which takes no memory for parameters.
  /// - Parameter keepsPyramid: whether the levels are an output, too, behind the other two.
  /// - Throws: `DetectorError` where sizes do not fit together.
  func graph(classCount: Int, keepsPyramid: Bool = false) throws -> (graph: Graph, logits: Graph.Output, deltas: Graph.Output, pyramid: Graph.Output?) {
    try validate()
    guard classCount > 0 else { throw DetectorError("a detector needs at least one class") }
    guard classCount <= Self.largestSize else {
      throw DetectorError("\(classCount) classes are more than the \(Self.largestSize) that can be")
    }
    let anchors = (anchorSizes.first?.count ?? 0) * aspectRatios.count
    var graph = Graph()
    let image = graph.input(channels: 3)
    let stages = backbone.build(in: &graph, image: image, path: "backbone")
    let levels = pyramid.build(in: &graph, stages: stages, path: "pyramid")
    let logits = graph.output(
      head.build(in: &graph, levels: levels, path: "heads/classification", last: "logits", outputs: anchors * classCount), name: "logits")
    let deltas = graph.output(
      head.build(in: &graph, levels: levels, path: "heads/regression", last: "deltas", outputs: anchors * 4), name: "deltas")
    let kept = keepsPyramid ? graph.output(levels, name: "pyramid") : nil
    return (graph, logits, deltas, kept)
  }

  /// The shape of each parameter by its path, told without making the network: what weights are matched against before
  /// memory is taken.
  /// - Throws: `DetectorError` where sizes do not fit together.
  public func parameterShapes(classCount: Int) throws -> [String: [Int]] {
    Dictionary(try graph(classCount: classCount).graph.parameters.map { ($0.path, $0.shape) }) { first, _ in first }
  }
}
