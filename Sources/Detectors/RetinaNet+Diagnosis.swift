import NeuralNetwork

extension RetinaNet {
  /// Where results stop being finite, for errors: runs the network once more with its parts' results kept.
  /// - Parameter pixels: as in `Program.inputValues`.
  /// - Returns: the name of the first part whose results are not finite; the heads where none before is.
  public func firstNotFinite(_ pixels: some Collection<Float>, images: Int, height: Int, width: Int) throws -> String {
    var graph = Graph()
    let image = graph.input(channels: 3)
    let stages = architecture.backbone.build(in: &graph, image: image, path: "backbone")
    let levels = architecture.pyramid.build(in: &graph, stages: stages, path: "pyramid")
    let parts = stages.enumerated().map { ("backbone/stage\($0.offset + 1)", graph.output([$0.element], name: "stage\($0.offset + 1)")) }
      + zip(architecture.pyramid.levels, levels).map { ("the pyramid's level \($0)", graph.output([$1], name: "level\($0)")) }
    let program = try Program.compile(
      graph, parameters: parameters, inputShape: [images, 3, height, width], training: false, precision: precision)
    _ = program.inputValues.update(fromContentsOf: pixels)
    try program.forward()
    return parts.first { !program.values(of: $0.1).allSatisfy(\.isFinite) }?.0 ?? "the heads"
  }
}
