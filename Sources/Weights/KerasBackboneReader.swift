import Configuration

/// Reads from a Keras model's configuration what its backbone computes, and refuses what this package would compute
/// otherwise.
struct KerasBackboneReader {
  let plan: DetectorPlan
  let naming: any KerasNaming
  private let layers: [String: KerasModel.Layer]
  /// The plan's layers by name.
  private let planned: [String: ModelLayer]

  /// - Returns: nil where the configuration does not list the plan's layers.
  init?(_ model: KerasModel, _ plan: DetectorPlan, _ naming: any KerasNaming) {
    (self.plan, self.naming) = (plan, naming)
    layers = Dictionary(model.flat.map { ($0.name, $0) }) { first, _ in first }
    planned = Dictionary(plan.layers.compactMap { layer in naming.layer(layer, of: plan).map { ($0, layer) } }) { first, _ in first }
    guard planned.keys.allSatisfy({ layers[$0] != nil }) else { return nil }
  }

  func layer(_ layer: ModelLayer) throws -> KerasModel.Layer {
    guard let name = naming.layer(layer, of: plan), let found = layers[name] else { throw ConventionError("it lists no \(layer)") }
    return found
  }

  // MARK: Backbone

  /// - Throws: `ConventionError` naming the layer that is of another kind.
  func read(into backbone: inout DetectorConfiguration.Backbone) throws {
    let pooling = try checkGraph()
    backbone.epsilon = try epsilon()
    backbone.stemPadding = try stemPadding()
    backbone.poolPadding = try poolPadding(pooling)
    for layer in plan.layers {
      guard case .blockConvolution(let stage, let block, let index) = layer else { continue }
      let convolution = try self.layer(layer)
      try checkConvolution(convolution)
      guard index <= (plan.usesBottlenecks ? 2 : 1) else {
        try expect(convolution, strides: 1)
        continue
      }
      let stride = block == 1 && stage > 1 ? 2 : 1
      if index == 0 || !plan.usesBottlenecks {
        try expect(convolution, strides: stride)
      } else if stride == 2, index == 1 {
        let first = try strides(convolution)
        guard first == 1 || first == 2 else { throw refusal(convolution, "its stride is \(first)") }
        let place: DetectorConfiguration.BottleneckStride = first == 2 ? .conv1 : .conv2
        if stage > 2, place != backbone.bottleneckStride { throw refusal(convolution, "stages halve extents in different places") }
        backbone.bottleneckStride = place
      } else if stride == 2 {
        try expect(convolution, strides: backbone.bottleneckStride == .conv1 ? 1 : 2)
      } else {
        try expect(convolution, strides: 1)
      }
      try checkPadding(convolution)
    }
  }

  /// Follows the layers from the last block to the stem: whatever lies between is a plain ResNet's.
  /// - Returns: the pooling.
  private func checkGraph() throws -> KerasModel.Layer {
    let stem = try layer(.stemConvolution)
    let count = plan.usesBottlenecks ? 3 : 2
    guard let blocks = plan.blockCount(stage: 4) else { throw ConventionError("no such depth: \(plan.depth)") }
    var waiting = [try layer(.blockNormalization(stage: 4, block: blocks, index: count)).name]
    var seen = Set(waiting)
    var poolings: [KerasModel.Layer] = []
    while let name = waiting.popLast() {
      guard let layer = layers[name] else { throw ConventionError("it lists no layer \"\(name.escapedForDisplay)\"") }
      switch layer.kind {
      case "Conv2D" where planned[name] != nil: break
      case _ where layer.isNormalization && planned[name] != nil:
        if let mode = layer.mode, mode != 0 { throw refusal(layer, "its mode is \(mode)") }
      case "Activation" where layer.activation == "relu", "ReLU" where layer.isPlainReLU: break
      case "Add", "ZeroPadding2D", "Dropout", "Merge" where layer.join == "sum": break
      case "TFOpLambda" where name.contains("add"), "TensorFlowOpLayer" where name.lowercased().contains("add"): break
      case "MaxPooling2D": poolings.append(layer)
      default: throw refusal(layer, "a plain ResNet has no such layer")
      }
      if name == stem.name { continue }
      for input in layer.inputs where seen.insert(input).inserted { waiting.append(input) }
    }
    guard seen.contains(stem.name) else { throw ConventionError("the last block does not come from \"\(stem.name.escapedForDisplay)\"") }
    guard poolings.count == 1 else { throw ConventionError("it has \(poolings.count) poolings where a ResNet has one") }
    return poolings[0]
  }

  private func epsilon() throws -> Float {
    let normalizations = try plan.layers.filter { if case .headNormalization = $0 { false } else { $0.isNormalization } }.map { try layer($0) }
    guard let first = normalizations.first, let epsilon = first.epsilon else { throw ConventionError("its normalisations have no epsilon") }
    if let other = normalizations.first(where: { $0.epsilon != epsilon }) {
      throw refusal(other, "its epsilon is \(other.epsilon.map { "\($0)" } ?? "missing"), that of \(first.name.escapedForDisplay) \(epsilon)")
    }
    guard (0...1).contains(epsilon) else { throw refusal(first, "its epsilon is \(epsilon)") }
    return Float(epsilon)
  }

  private func stemPadding() throws -> DetectorConfiguration.Padding {
    let stem = try layer(.stemConvolution)
    try checkConvolution(stem)
    try expect(stem, strides: 2)
    switch stem.padding {
    case "same": return .same
    case "valid" where zeros(before: stem) == plan.stemKernel / 2: return .symmetric
    default: throw refusal(stem, "it pads neither by \(plan.stemKernel / 2) zeros nor as \"same\"")
    }
  }

  private func poolPadding(_ pooling: KerasModel.Layer) throws -> DetectorConfiguration.PoolPadding {
    guard pooling.window ?? [] == [3, 3], pooling.strides ?? [] == [2, 2] else {
      throw refusal(pooling, "its window is \(pooling.window ?? []) with strides \(pooling.strides ?? [])")
    }
    switch (pooling.padding, zeros(before: pooling)) {
    case ("same", 0): return .same
    case ("valid", 1): return .symmetric
    case ("valid", 0): return .none
    default: throw refusal(pooling, "its padding is none of a ResNet's")
    }
  }

  // MARK: Convolutions

  /// Rows of zeros that a layer of their own puts in front of another; nil for uneven ones.
  private func zeros(before layer: KerasModel.Layer) -> Int? {
    guard let name = layer.inputs.first, let before = layers[name], before.kind == "ZeroPadding2D" else { return 0 }
    guard let zeros = before.zeros, Set(zeros).count == 1 else { return nil }
    return zeros.first
  }

  func checkConvolution(_ layer: KerasModel.Layer, activation: String = "linear") throws {
    guard layer.kind == "Conv2D" else { throw refusal(layer, "it is a \(layer.kind.escapedForDisplay)") }
    if let dilation = layer.dilation, dilation != [1, 1] { throw refusal(layer, "its dilation is \(dilation)") }
    if let groups = layer.groups, groups != 1 { throw refusal(layer, "it has \(groups) groups") }
    if let found = layer.activation, found != activation { throw refusal(layer, "its activation is \(found.escapedForDisplay)") }
  }

  private func strides(_ layer: KerasModel.Layer) throws -> Int {
    let strides = layer.strides ?? [1, 1]
    guard strides[0] == strides[1] else { throw refusal(layer, "its strides are \(strides)") }
    return strides[0]
  }

  func expect(_ layer: KerasModel.Layer, strides expected: Int) throws {
    let strides = try strides(layer)
    guard strides == expected else { throw refusal(layer, "its stride is \(strides), a ResNet's \(expected)") }
  }

  /// What a block's convolution puts around its input: as many zeros on every side, or "same" where that is the same.
  private func checkPadding(_ layer: KerasModel.Layer) throws {
    let side = layer.window?.first ?? 1
    switch layer.padding {
    case _ where side == 1: break
    case "same" where try strides(layer) == 1 && zeros(before: layer) == 0: break
    case "valid" where zeros(before: layer) == side / 2: break
    default: throw refusal(layer, "it does not pad by \(side / 2) on every side")
    }
  }

  /// How a convolution of stride 2 on a pyramid pads.
  func windowPadding(_ layer: KerasModel.Layer) throws -> DetectorConfiguration.Padding {
    switch (layer.padding, zeros(before: layer)) {
    case ("same", 0): return .same
    case ("valid", 1): return .symmetric
    default: throw refusal(layer, "its padding is none that is known")
    }
  }

  func refusal(_ layer: KerasModel.Layer, _ what: String) -> ConventionError {
    ConventionError("\(layer.kind.escapedForDisplay) \"\(layer.name.escapedForDisplay)\": \(what)")
  }
}
