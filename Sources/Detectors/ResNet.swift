import NeuralNetwork

/// A residual network (He et al. 2015).
public struct ResNetArchitecture: Hashable, Sendable {
  public enum Stem: String, Hashable, Sendable, CaseIterable {
    /// 7x7, stride 2, then 3x3 max pooling, stride 2.
    case standard
    /// 3x3, stride 2, then 3x3 max pooling, stride 2: for small images.
    case small
  }
  public enum Normalization: Hashable, Sendable {
    /// Statistics, gamma and beta fixed and folded into the convolutions: for pretrained backbones.
    case frozenBatch
    case batch
    case group(Int)
  }
  /// Where a bottleneck halves the extents.
  public enum BottleneckStride: String, Hashable, Sendable, CaseIterable {
    /// In the first, 1x1 convolution, as in the paper and in Keras.
    case conv1
    /// In the 3x3 convolution, as in torchvision.
    case conv2
  }
  /// 18, 34, 50, 101 or 152 layers.
  public var depth: Int
  /// Channels of the first stage (64 in the paper).
  public var width: Int
  public var stem: Stem
  public var normalization: Normalization
  public var bottleneckStride: BottleneckStride
  /// Whether convolutions in front of a normalisation have a bias, as Keras' do.
  public var convolutionBias: Bool
  /// Of batch normalisation, added to the variance.
  public var epsilon: Float
  /// How the stem's convolution is padded.
  public var stemPadding: WindowPadding
  /// How the max pooling behind it is padded.
  public var poolPadding: WindowPadding
  /// Whether the first block's shortcut has a convolution even where it changes neither channels nor extents, as
  /// keras-resnet's ResNet-18 and ResNet-34 have it.
  public var projectsFirstShortcut: Bool

  public init(
    depth: Int = 50, width: Int = 64, stem: Stem = .standard, normalization: Normalization = .frozenBatch,
    bottleneckStride: BottleneckStride = .conv2, convolutionBias: Bool = false, epsilon: Float = 1e-5, stemPadding: WindowPadding = .symmetric,
    poolPadding: WindowPadding = .symmetric, projectsFirstShortcut: Bool = false
  ) {
    self.depth = depth
    self.width = width
    self.stem = stem
    self.normalization = normalization
    self.bottleneckStride = bottleneckStride
    self.convolutionBias = convolutionBias
    self.epsilon = epsilon
    self.stemPadding = stemPadding
    self.poolPadding = poolPadding
    self.projectsFirstShortcut = projectsFirstShortcut
  }

  /// Residual blocks of each stage, by depth.
  public static let blockCounts = [18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3]]

  /// Whether blocks have three convolutions, the first and the last 1x1, instead of two.
  public var usesBottlenecks: Bool { depth >= 50 }

  func validate() throws {
    guard Self.blockCounts[depth] != nil else {
      throw DetectorError("no ResNet-\(depth): the depth must be one of \(Self.blockCounts.keys.sorted().map(String.init).joined(separator: ", "))")
    }
    guard width > 0 else { throw DetectorError("the backbone's width must be positive, not \(width)") }
    guard stemPadding != .none else { throw DetectorError("the stem's convolution needs a padding: stages would not have strides of 4 to 32") }
    if case .group(let groups) = normalization, groups < 1 || width % groups != 0 {
      throw DetectorError("\(groups) groups do not divide the backbone's width \(width)")
    }
  }

  /// Adds the network to a graph.
  /// - Returns: the results of the four stages, C2...C5, of strides 4, 8, 16, 32.
  func build(in graph: inout Graph, image: Graph.Value, path: String) -> [Graph.Value] {
    let kernel = stem == .standard ? 7 : 3
    var x = normalized(
      &graph, image, "\(path)/stem/conv", "\(path)/stem/norm", channels: width, kernel: kernel, stride: 2,
      padding: stemPadding.padding(kernel: kernel), relu: true)
    x = graph.maxPool(x, kernel: 3, stride: 2, padding: poolPadding.padding(kernel: 3))
    var stages: [Graph.Value] = []
    for (stage, count) in (Self.blockCounts[depth] ?? []).enumerated() {
      for block in 0..<count {
        x = residualBlock(
          &graph, x, path: "\(path)/stage\(stage + 1)/block\(block + 1)", channels: width << stage,
          stride: block == 0 && stage > 0 ? 2 : 1, projects: block == 0 && stage == 0 && projectsFirstShortcut)
      }
      stages.append(x)
    }
    return stages
  }

  private func residualBlock(
    _ graph: inout Graph, _ x: Graph.Value, path: String, channels: Int, stride: Int, projects: Bool
  ) -> Graph.Value {
    // (kernel, channels, stride) of the block's convolutions.
    let (first, second) = bottleneckStride == .conv1 ? (stride, 1) : (1, stride)
    let layers =
      usesBottlenecks
      ? [(1, channels, first), (3, channels, second), (1, 4 * channels, 1)] : [(3, channels, stride), (3, channels, 1)]
    var y = x
    for (i, layer) in layers.enumerated() {
      y = normalized(
        &graph, y, "\(path)/conv\(i + 1)", "\(path)/norm\(i + 1)", channels: layer.1, kernel: layer.0, stride: layer.2,
        relu: i + 1 < layers.count)
    }
    var shortcut = x
    if projects || stride != 1 || graph.channels(of: x) != graph.channels(of: y) {
      shortcut = normalized(
        &graph, x, "\(path)/downsample/conv", "\(path)/downsample/norm", channels: graph.channels(of: y), kernel: 1,
        stride: stride, relu: false)
    }
    return graph.add(y, shortcut, relu: true)
  }

  /// Convolution, normalisation and ReLU where asked for.
  private func normalized(
    _ graph: inout Graph, _ x: Graph.Value, _ path: String, _ norm: String, channels: Int, kernel: Int, stride: Int,
    padding: Padding? = nil, relu: Bool
  ) -> Graph.Value {
    let bias: Initializer? = convolutionBias ? .constant(0) : nil
    switch normalization {
    case .frozenBatch:
      return graph.convolutionWithFrozenNormalization(
        x, path: path, normalization: norm, channels: channels, kernel: kernel, stride: stride, padding: padding,
        relu: relu, epsilon: epsilon, hasBias: convolutionBias)
    case .batch:
      let y = graph.convolution(
        x, path: path, channels: channels, kernel: kernel, stride: stride, padding: padding, bias: bias)
      return graph.batchNormalization(y, path: norm, epsilon: epsilon, relu: relu)
    case .group(let groups):
      let y = graph.convolution(
        x, path: path, channels: channels, kernel: kernel, stride: stride, padding: padding, bias: bias)
      let z = graph.groupNormalization(y, path: norm, groups: groups)
      return relu ? graph.relu(z) : z
    }
  }
}
