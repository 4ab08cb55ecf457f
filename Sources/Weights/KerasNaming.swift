/// What Keras' models have in common: kernels in another order, colours from blue to red.
protocol KerasNaming: ParameterNaming {
  var kernels: KernelLayout { get set }
  func layer(_ layer: ModelLayer, of plan: DetectorPlan) -> String?
  /// The name of the inner model that a layer belongs to, if any.
  func model(of layer: ModelLayer) -> String?
  /// Whether a shortcut's layers come in front of those that they are added to in `model.layers`, or behind.
  var shortcutComesFirst: Bool { get }
}

extension KerasNaming {
  var kernelAxes: KernelAxes { kernels.axes }
  var flipsKernels: Bool { kernels.flips }
  var reversesColors: Bool { true }

  /// "layer/parameter", as `KerasFile` names datasets.
  func name(of parameter: ModelParameter, in layer: ModelLayer, of plan: DetectorPlan) -> String? {
    self.layer(layer, of: plan).map { "\($0)/\(parameter.rawValue)" }
  }

  /// A plan's layers in the order of Keras' `model.layers`, on which loading without names depends: by the distance
  /// from the output, so that a block's two last convolutions are followed by their normalisations.
  func ordered(_ plan: DetectorPlan) -> [ModelLayer] {
    var layers = plan.layers
    for index in layers.indices.dropFirst(2) {
      guard case .blockConvolution(let stage, let block, 0) = layers[index],
        case .blockConvolution(stage, block, _) = layers[index - 2]
      else { continue }
      let (main, shortcut) = (layers[(index - 2)..<index], layers[index..<(index + 2)])
      let pairs = shortcutComesFirst ? zip(shortcut, main) : zip(main, shortcut)
      layers.replaceSubrange((index - 2)..<(index + 2), with: pairs.flatMap { [$0, $1] })
    }
    guard plan.detector != nil else { return layers }
    // The inner models come last, regression first.
    let isInner = { (layer: ModelLayer) in model(of: layer) != nil }
    let backbone = layers.filter { $0.isBackbone }
    let pyramid = layers.filter { !$0.isBackbone && !isInner($0) }
    func heads(_ name: String) -> [ModelLayer] { layers.filter { model(of: $0) == name } }
    return backbone + Self.ordered(pyramid) + heads("regression_submodel") + heads("classification_submodel")
  }

  /// Laterals from the top, the first extra level, outputs from the bottom, the other extra levels.
  private static func ordered(_ pyramid: [ModelLayer]) -> [ModelLayer] {
    let laterals = pyramid.filter { if case .lateral = $0 { true } else { false } }
    let outputs = pyramid.filter { if case .output = $0 { true } else { false } }
    let extras = pyramid.filter { if case .extra = $0 { true } else { false } }
    return laterals + Array(extras.prefix(1)) + Array(outputs.reversed()) + Array(extras.dropFirst())
  }
}

extension ModelLayer {
  fileprivate var isBackbone: Bool {
    switch self {
    case .stemConvolution, .stemNormalization, .blockConvolution, .blockNormalization: true
    default: false
    }
  }
}
