import Configuration
import HDF5

extension KerasFile {
  /// How kernels lie in the file.
  var kernels: KernelLayout {
    KernelLayout(axes: isTheanoOrder ? .outputInputHeightWidth : .heightWidthInputOutput, flips: isTheano)
  }

  /// Keras 1 wrote kernels in the order of dimensions that was set, later versions always in TensorFlow's. The first
  /// kernel tells, as it has three inputs.
  private var isTheanoOrder: Bool {
    guard let shape = ["conv1/kernel", "conv1_conv/kernel"].lazy.compactMap({ datasets[$0]?.shape }).first, shape.count == 4 else { return false }
    return shape[1] == 3 && shape[2] == shape[3] && !(shape[2] == 3 && shape[0] == shape[1])
  }

  /// Theano turns kernels round. Keras 1 does not say what it ran on.
  private var isTheano: Bool { backend.map { $0 == "theano" } ?? isTheanoOrder }

  var kernelAssumptions: [String] {
    guard backend == nil, isTheanoOrder else { return [] }
    return ["kernels are turned by 180 degrees, as Theano has them: their dimensions are in its order, and the file does not say what it ran on"]
  }

  /// Settings of a model that has no configuration, from its list of layers.
  /// - Returns: what is assumed, in words.
  func assume(_ configuration: inout ExperimentConfiguration, of plan: DetectorPlan, _ naming: any KerasNaming) -> [String] {
    guard naming is KerasRetinaNetNaming else { return [] }
    var assumptions: [String] = []
    if plan.convolutionBias || usesFirstNames {
      // keras-resnet's convolutions have no bias: a backbone from keras.applications, a detector's too.
      configuration.detector.backbone.epsilon = Convention.kerasResNet50.detector.backbone.epsilon
      configuration.detector.backbone.stemPadding = hasZeros(between: nil, and: "conv1") ? .symmetric : .same
      configuration.detector.backbone.poolPadding =
        isMaskRCNN ? .same : hasZeros(between: "bn_conv1", and: "res2a_branch2a") ? .symmetric : .none
      let backbone = configuration.detector.backbone
      assumptions.append(
        "epsilon \(backbone.epsilon), \(backbone.stemPadding == .symmetric ? "3 zeros around the image" : "\"same\" padding of the image"), \(Self.words[backbone.poolPadding] ?? ""): as Keras' own ResNet-50 of these layers; the file has no settings")
    } else {
      assumptions.append("epsilon \(configuration.detector.backbone.epsilon) and \(configuration.detector.backbone.stemPadding) padding, as keras-resnet has them: the file has no settings")
    }
    if plan.detector != nil { assumptions.append("anchors are keras-retinanet's own: the file has no settings") }
    return assumptions
  }

  private static let words: [DetectorConfiguration.PoolPadding: String] = [
    .none: "pooling without padding", .same: "\"same\" padding of the pooling", .symmetric: "a zero around the pooling's input",
  ]

  /// Mask R-CNN's backbone has the same layers and pools with "same" padding.
  private var isMaskRCNN: Bool { layers.contains { $0.hasPrefix("mrcnn_") || $0.hasPrefix("fpn_") } }

  /// Whether a layer of zeros is listed between two others. A file without a list has it.
  private func hasZeros(between first: String?, and last: String) -> Bool {
    guard let end = layers.firstIndex(of: last) else { return first == nil }
    let start = first.flatMap { layers.firstIndex(of: $0) } ?? layers.startIndex
    return start < end && layers[start..<end].contains { $0.lowercased().contains("pad") }
  }
}
