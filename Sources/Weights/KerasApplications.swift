/// Names of `keras.applications`' ResNet50, ResNet101 and ResNet152: `conv2_block1_1_conv`.
struct KerasApplicationsNaming: KerasNaming {
  var shortcutComesFirst: Bool { true }

  func layer(_ layer: ModelLayer, of plan: DetectorPlan) -> String? {
    switch layer {
    case .stemConvolution: "conv1_conv"
    case .stemNormalization: "conv1_bn"
    case .blockConvolution(let stage, let block, let index): "conv\(stage + 1)_block\(block)_\(index)_conv"
    case .blockNormalization(let stage, let block, let index): "conv\(stage + 1)_block\(block)_\(index)_bn"
    default: nil
    }
  }

  func model(of layer: ModelLayer) -> String? { nil }
}
