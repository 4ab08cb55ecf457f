/// Names of torchvision's state dictionaries: `resnet18()` to `resnet152()` and RetinaNet on them, versions 1 and 2.
struct TorchvisionNaming: ParameterNaming {
  /// Versions of torchvision name the same layers in two ways.
  enum Style: Hashable, Sendable {
    /// From 0.13 on: `fpn.inner_blocks.0.0.weight`, `conv.0.0.weight`.
    case nested
    /// Before: `fpn.inner_blocks.0.weight`, `conv.0.weight`, every second one being a ReLU.
    case flat
  }
  /// In front of all names, as of a model inside another: `module.`, `model.`.
  var model = ""
  /// Between that and the backbone's names.
  var backbone: String
  var style: Style
  /// The level of the pyramid's first inner block.
  var lowestLevel: Int

  static let detectorBackbone = "backbone.body."

  /// All that is known of where a file has its backbones, of which the best fit is taken.
  static func variants(in names: some Sequence<String>) -> [TorchvisionNaming] {
    let first = "layer1.0.conv1.weight"
    let prefixes = Set(names.filter { $0.hasSuffix(first) }.map { String($0.dropLast(first.count)) })
      .filter { $0.isEmpty || $0.hasSuffix(".") }
    return prefixes.sorted().flatMap { prefix in
      [TorchvisionNaming(model: prefix, backbone: "", style: .nested, lowestLevel: 3)]
        + (prefix.hasSuffix(detectorBackbone)
          ? [Style.nested, .flat].flatMap { style in
            [3, 2].map {
              TorchvisionNaming(
                model: String(prefix.dropLast(detectorBackbone.count)), backbone: detectorBackbone, style: style, lowestLevel: $0)
            }
          } : [])
    }
  }

  var kernelAxes: KernelAxes { .outputInputHeightWidth }
  var reversesColors: Bool { false }

  func name(of parameter: ModelParameter, in layer: ModelLayer, of plan: DetectorPlan) -> String? {
    let suffix =
      switch parameter {
      case .kernel, .gamma: "weight"
      case .bias, .beta: "bias"
      case .movingMean: "running_mean"
      case .movingVariance: "running_var"
      }
    return self.layer(layer).map { "\(model)\($0).\(suffix)" }
  }

  /// Inside a backbone are its stem and its layers; a classifier on it has other names.
  func isInside(_ name: String, of plan: DetectorPlan) -> Bool {
    guard !Self.isCounter(name) else { return false }
    if name.hasPrefix(model + backbone) {
      let first = name.dropFirst(model.count + backbone.count).prefix { $0 != "." }
      let (word, number) = (first.prefix { !$0.isNumber }, first.drop { !$0.isNumber })
      return word == "stem" || (["conv", "bn", "layer"].contains(word) && Int(number) != nil)
    }
    guard plan.detector != nil else { return false }
    return ["\(model)head.", "\(model)backbone.fpn."].contains(where: name.hasPrefix)
  }

  private func layer(_ layer: ModelLayer) -> String? {
    switch layer {
    case .stemConvolution: return "\(backbone)conv1"
    case .stemNormalization: return "\(backbone)bn1"
    case .blockConvolution(let stage, let block, let index):
      return "\(backbone)layer\(stage).\(block - 1).\(index == 0 ? "downsample.0" : "conv\(index)")"
    case .blockNormalization(let stage, let block, let index):
      return "\(backbone)layer\(stage).\(block - 1).\(index == 0 ? "downsample.1" : "bn\(index)")"
    case .lateral(let level): return pyramid("inner_blocks", level)
    case .output(let level): return pyramid("layer_blocks", level)
    case .extra(let level): return level <= 7 ? "backbone.fpn.extra_blocks.p\(level)" : nil
    case .headConvolution(let head, let index):
      return "head.\(head.rawValue)_head.conv.\(style == .nested ? "\(index - 1).0" : "\(2 * (index - 1))")"
    case .headNormalization(let head, let index):
      return style == .nested ? "head.\(head.rawValue)_head.conv.\(index - 1).1" : nil
    case .headOutput(.classification): return "head.classification_head.cls_logits"
    case .headOutput(.regression): return "head.regression_head.bbox_reg"
    }
  }

  private func pyramid(_ blocks: String, _ level: Int) -> String? {
    guard level >= lowestLevel else { return nil }
    return "backbone.fpn.\(blocks).\(level - lowestLevel)\(style == .nested ? ".0" : "")"
  }

  /// Names in a state dictionary that are no parameters: counters of batches.
  static func isCounter(_ name: String) -> Bool { name.hasSuffix("num_batches_tracked") }
}
