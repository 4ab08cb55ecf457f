import NeuralNetwork

extension PyramidArchitecture {
  /// Feature pyramid (Lin et al., "Feature Pyramid Networks for Object Detection", 2017): 1x1 laterals, a top-down path
  /// of nearest up-sampling, 3x3 outputs; stride-2 convolutions for levels 6 and up.
  /// - Parameter stages: the backbone's C2...C5.
  /// - Returns: one value a level, of stride 2^level.
  func build(in graph: inout Graph, stages: [Graph.Value], path: String) -> [Graph.Value] {
    var levels: [Graph.Value] = []
    var above: Graph.Value?
    for level in (minLevel...5).reversed() {
      let lateral = convolution(&graph, stages[level - 2], "\(path)/lateral\(level)", kernel: 1)
      let merged = above.map { graph.upsampleAdd(lateral: lateral, top: $0) } ?? lateral
      levels.insert(convolution(&graph, merged, "\(path)/output\(level)", kernel: 3), at: 0)
      above = merged
    }
    guard maxLevel > 5 else { return levels }
    var x = extraLevelSource == .c5 ? stages[3] : levels[levels.count - 1]
    for level in 6...maxLevel {
      x = convolution(&graph, level == 6 ? x : graph.relu(x), "\(path)/level\(level)", kernel: 3, stride: 2, padding: extraPadding)
      levels.append(x)
    }
    return levels
  }

  private func convolution(
    _ graph: inout Graph, _ x: Graph.Value, _ path: String, kernel: Int, stride: Int = 1, padding: WindowPadding = .symmetric
  ) -> Graph.Value {
    graph.convolution(
      x, path: path, channels: channels, kernel: kernel, stride: stride, padding: padding.padding(kernel: kernel),
      initializer: .uniformFanIn)
  }
}
