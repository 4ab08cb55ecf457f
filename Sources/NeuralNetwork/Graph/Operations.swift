enum Operation: Sendable {
  /// NCHW images.
  case input
  case convolution(Convolution)
  case batchNormalization(path: String, epsilon: Float, relu: Bool)
  case groupNormalization(path: String, groups: Int, epsilon: Float)
  case relu
  case sigmoid
  case maxPool(Window)
  /// Element-wise sum, then ReLU where asked for.
  case add(relu: Bool)
  /// First input + nearest up-sampling of the second, half as large.
  case upsampleAdd
}

struct Convolution: Sendable {
  var path: String
  var window: Window
  var hasBias: Bool
  var relu: Bool
  /// Normalisation with fixed statistics folded into kernel and bias: its path and epsilon.
  var frozenNormalization: (path: String, epsilon: Float)?
  /// Whether there is a bias in front of the frozen normalisation, fixed as well.
  var hasFrozenBias = false
  /// What is added to the result before ReLU: set by fusion, not by the graph's author.
  var summand: Summand?

  enum Summand {
    /// A value of the result's shape.
    case same
    /// A value half as large, up-sampled to the nearest.
    case upsampled
  }
}

extension Graph {
  public mutating func input(channels: Int) -> Value {
    append(.input, inputs: [], channels: channels, name: "input")
  }

  /// Square convolution; parameters `path/kernel` [out, in, kernel, kernel] and `path/bias` [out].
  /// - Parameters:
  ///   - padding: nil is kernel / 2 on every side.
  ///   - relu: fused, max(0, x).
  public mutating func convolution(
    _ x: Value, path: String, channels: Int, kernel: Int, stride: Int = 1, padding: Padding? = nil, relu: Bool = false,
    initializer: Initializer = .heNormalFanOut, bias: Initializer? = .constant(0), isTrainable: Bool = true
  ) -> Value {
    declare("\(path)/kernel", shape: [channels, self.channels(of: x), kernel, kernel], initializer, isTrainable: isTrainable)
    if let bias { declare("\(path)/bias", shape: [channels], bias, isTrainable: isTrainable) }
    let operation = Convolution(
      path: path, window: Window(kernel: kernel, stride: stride, padding: padding ?? .symmetric(kernel / 2)),
      hasBias: bias != nil, relu: relu)
    return append(.convolution(operation), inputs: [x], channels: channels, name: path)
  }

  /// Convolution and then batch normalisation with fixed statistics, in one operation: the statistics, gamma and beta
  /// are not trained, the kernel may be.
  /// - Parameter hasBias: whether the convolution has a bias, `path/bias`, not trained either: the normalisation's beta
  ///   does the same. Keras' ResNets have one.
  public mutating func convolutionWithFrozenNormalization(
    _ x: Value, path: String, normalization: String, channels: Int, kernel: Int, stride: Int = 1, padding: Padding? = nil,
    relu: Bool, epsilon: Float = 1e-5, hasBias: Bool = false, initializer: Initializer = .heNormalFanOut, isTrainable: Bool = true
  ) -> Value {
    declare("\(path)/kernel", shape: [channels, self.channels(of: x), kernel, kernel], initializer, isTrainable: isTrainable)
    if hasBias { declare("\(path)/bias", shape: [channels], .constant(0), isTrainable: false) }
    declareNormalization(normalization, channels: channels, isTrainable: false)
    let operation = Convolution(
      path: path, window: Window(kernel: kernel, stride: stride, padding: padding ?? .symmetric(kernel / 2)),
      hasBias: false, relu: relu,
      frozenNormalization: (normalization, epsilon), hasFrozenBias: hasBias)
    return append(.convolution(operation), inputs: [x], channels: channels, name: path)
  }

  /// Batch normalisation (Ioffe and Szegedy 2015), on the batch's statistics in training and on the moving ones in
  /// inference; momentum 0.1, moving variance unbiased, as in PyTorch.
  public mutating func batchNormalization(_ x: Value, path: String, epsilon: Float = 1e-5, relu: Bool = false) -> Value {
    declareNormalization(path, channels: channels(of: x), isTrainable: true)
    return append(.batchNormalization(path: path, epsilon: epsilon, relu: relu), inputs: [x], channels: channels(of: x), name: path)
  }

  private mutating func declareNormalization(_ path: String, channels: Int, isTrainable: Bool) {
    declare("\(path)/gamma", shape: [channels], .constant(1), isTrainable: isTrainable)
    declare("\(path)/beta", shape: [channels], .constant(0), isTrainable: isTrainable)
    declare("\(path)/moving_mean", shape: [channels], .constant(0), isTrainable: false)
    declare("\(path)/moving_variance", shape: [channels], .constant(1), isTrainable: false)
  }

  /// Group normalisation (Wu and He 2018).
  /// - Precondition: `groups` divides the channels.
  public mutating func groupNormalization(_ x: Value, path: String, groups: Int, epsilon: Float = 1e-5) -> Value {
    let channels = channels(of: x)
    precondition(channels % groups == 0, "\(groups) groups do not divide \(channels) channels")
    declare("\(path)/gamma", shape: [channels], .constant(1), isTrainable: true)
    declare("\(path)/beta", shape: [channels], .constant(0), isTrainable: true)
    return append(
      .groupNormalization(path: path, groups: groups, epsilon: epsilon), inputs: [x], channels: channels, name: path)
  }

  public mutating func relu(_ x: Value) -> Value { append(.relu, inputs: [x], channels: channels(of: x), name: "relu") }

  public mutating func sigmoid(_ x: Value) -> Value {
    append(.sigmoid, inputs: [x], channels: channels(of: x), name: "sigmoid")
  }

  public mutating func maxPool(_ x: Value, kernel: Int, stride: Int, padding: Padding) -> Value {
    append(
      .maxPool(Window(kernel: kernel, stride: stride, padding: padding)), inputs: [x], channels: channels(of: x),
      name: "max_pool")
  }

  public mutating func add(_ x: Value, _ y: Value, relu: Bool = false) -> Value {
    append(.add(relu: relu), inputs: [x, y], channels: channels(of: x), name: "add")
  }

  /// `lateral` + nearest up-sampling of `top` by 2 (FPN's top-down path, Lin et al. 2017).
  public mutating func upsampleAdd(lateral: Value, top: Value) -> Value {
    append(.upsampleAdd, inputs: [lateral, top], channels: channels(of: lateral), name: "upsample_add")
  }
}
