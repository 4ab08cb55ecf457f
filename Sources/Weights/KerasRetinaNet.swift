/// Names of keras-retinanet on keras-resnet backbones: `res2a_branch2a`, `C5_reduced`, `pyramid_classification_0`. The first
/// `keras.applications` called the same layers so.
struct KerasRetinaNetNaming: KerasNaming {
  var kernels = KernelLayout(axes: .heightWidthInputOutput)
  /// Whether blocks of deep networks have letters alone, as in models derived from Keras' own: a, b, ..., w.
  var lettersOnly = false
  var shortcutComesFirst: Bool { false }
  /// The layer in front of the stem by which keras-resnet before 0.2 is known: it has no parameters.
  static let stemZeros = "padding_conv1"

  func layer(_ layer: ModelLayer, of plan: DetectorPlan) -> String? {
    switch layer {
    case .stemConvolution: "conv1"
    case .stemNormalization: "bn_conv1"
    case .blockConvolution(let stage, let block, let index): "res\(branch(stage, block, index, plan))"
    case .blockNormalization(let stage, let block, let index): "bn\(branch(stage, block, index, plan))"
    case .lateral(let level): "C\(level)_reduced"
    case .output(let level), .extra(let level): "P\(level)"
    case .headConvolution(let head, let index): "pyramid_\(head.rawValue)_\(index - 1)"
    case .headNormalization: nil
    case .headOutput(let head): "pyramid_\(head.rawValue)"
    }
  }

  func model(of layer: ModelLayer) -> String? {
    switch layer {
    case .headConvolution(let head, _), .headOutput(let head): "\(head.rawValue)_submodel"
    default: nil
    }
  }

  func isInside(_ name: String, of plan: DetectorPlan) -> Bool {
    let layer = name.split(separator: "/").first ?? ""
    return layer.contains("_branch") || ["conv1", "bn_conv1", "scale_conv1"].contains(layer)
  }

  /// Blocks are a, b, c, ..., or a, b1, b2, ... in the two middle stages of deep networks and in shallow ones.
  private func branch(_ stage: Int, _ block: Int, _ index: Int, _ plan: DetectorPlan) -> String {
    func letter(_ position: Int) -> Character { Character(Unicode.Scalar(UInt8(ascii: "a") + UInt8(clamping: position))) }
    let isNumbered = block > 1 && !lettersOnly && (plan.depth < 50 || (plan.depth > 50 && (2...3).contains(stage)))
    let name = isNumbered ? "b\(block - 1)" : "\(letter(block - 1))"
    return "\(stage + 1)\(name)_branch" + (index == 0 ? "1" : "2\(letter(index - 1))")
  }
}
