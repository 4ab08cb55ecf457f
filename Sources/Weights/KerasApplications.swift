/// Names of `keras.applications`' ResNet50, ResNet101 and ResNet152: `conv2_block1_1_conv`.
struct KerasApplicationsNaming: KerasNaming {
  var kernels = KernelLayout(axes: .heightWidthInputOutput)
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

  func isInside(_ name: String, of plan: DetectorPlan) -> Bool {
    ["conv1_", "conv2_", "conv3_", "conv4_", "conv5_", "post_"].contains(where: name.hasPrefix)
  }
}
