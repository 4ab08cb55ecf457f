import Detectors

/// A layer that has parameters, whatever a framework calls it.
enum ModelLayer: Hashable, Sendable {
  enum Head: String, Hashable, Sendable, CaseIterable { case classification, regression }

  case stemConvolution
  case stemNormalization
  /// Convolution `index` of a residual block, all counted from 1; 0 is the one on the shortcut.
  case blockConvolution(stage: Int, block: Int, index: Int)
  case blockNormalization(stage: Int, block: Int, index: Int)
  /// The pyramid's 1x1 convolution of a backbone level.
  case lateral(level: Int)
  /// The pyramid's 3x3 convolution of a level.
  case output(level: Int)
  /// The stride-2 convolution that makes a level above the backbone's last.
  case extra(level: Int)
  /// Convolution `index` of a head, from 1.
  case headConvolution(Head, index: Int)
  case headNormalization(Head, index: Int)
  case headOutput(Head)

  var isNormalization: Bool {
    switch self {
    case .stemNormalization, .blockNormalization, .headNormalization: true
    default: false
    }
  }
}

/// A parameter of a layer, under Keras' name.
enum ModelParameter: String, Hashable, Sendable, CaseIterable {
  case kernel, bias, gamma, beta
  case movingMean = "moving_mean"
  case movingVariance = "moving_variance"

  /// What a layer may have, in Keras' order.
  static func possible(in layer: ModelLayer) -> [ModelParameter] {
    layer.isNormalization ? [.gamma, .beta, .movingMean, .movingVariance] : [.kernel, .bias]
  }
}

/// Names of this package: the parameters' paths in the network and in native files.
struct NativeNaming: ParameterNaming {
  var kernelAxes: KernelAxes { .outputInputHeightWidth }
  var reversesColors: Bool { false }

  func name(of parameter: ModelParameter, in layer: ModelLayer, of plan: DetectorPlan) -> String? {
    "\(path(layer))/\(parameter.rawValue)"
  }

  func isInside(_ name: String, of plan: DetectorPlan) -> Bool {
    ["backbone/", "pyramid/", "heads/"].contains(where: name.hasPrefix)
  }

  private func path(_ layer: ModelLayer) -> String {
    switch layer {
    case .stemConvolution: "backbone/stem/conv"
    case .stemNormalization: "backbone/stem/norm"
    case .blockConvolution(let stage, let block, let index): "\(blockPath(stage, block))/\(index == 0 ? "downsample/conv" : "conv\(index)")"
    case .blockNormalization(let stage, let block, let index): "\(blockPath(stage, block))/\(index == 0 ? "downsample/norm" : "norm\(index)")"
    case .lateral(let level): "pyramid/lateral\(level)"
    case .output(let level): "pyramid/output\(level)"
    case .extra(let level): "pyramid/level\(level)"
    case .headConvolution(let head, let index): "heads/\(head.rawValue)/conv\(index)"
    case .headNormalization(let head, let index): "heads/\(head.rawValue)/norm\(index)"
    case .headOutput(.classification): "heads/classification/logits"
    case .headOutput(.regression): "heads/regression/deltas"
    }
  }

  private func blockPath(_ stage: Int, _ block: Int) -> String { "backbone/stage\(stage)/block\(block)" }
}
