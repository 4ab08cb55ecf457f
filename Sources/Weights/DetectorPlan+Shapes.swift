import Detectors

extension DetectorPlan {
  /// The network's shape of a parameter; nil where the layer has no such one.
  func shape(of parameter: ModelParameter, in layer: ModelLayer) -> [Int]? {
    guard let sizes = sizes(of: layer) else { return nil }
    switch parameter {
    case .kernel: return layer.isNormalization ? nil : [sizes.outputs, sizes.inputs, sizes.kernel, sizes.kernel]
    case .bias: return hasBias(layer) ? [sizes.outputs] : nil
    case .gamma, .beta: return layer.isNormalization ? [sizes.outputs] : nil
    case .movingMean, .movingVariance:
      if case .headNormalization = layer { return nil }
      return layer.isNormalization ? [sizes.outputs] : nil
    }
  }

  private func hasBias(_ layer: ModelLayer) -> Bool {
    switch layer {
    case .stemConvolution, .blockConvolution: convolutionBias
    case .lateral, .output, .extra, .headOutput: true
    case .headConvolution: detector?.hasHeadNormalization == false
    case .stemNormalization, .blockNormalization, .headNormalization: false
    }
  }

  /// Channels and side of a layer's kernel.
  private func sizes(of layer: ModelLayer) -> (outputs: Int, inputs: Int, kernel: Int)? {
    switch layer {
    case .stemConvolution, .stemNormalization: return (width, 3, stemKernel)
    case .blockConvolution(let stage, let block, let index), .blockNormalization(let stage, let block, let index):
      let (channels, out) = (width << (stage - 1), stageChannels(stage))
      let source = block > 1 ? out : stage > 1 ? stageChannels(stage - 1) : width
      switch (index, usesBottlenecks) {
      case (0, _): return (out, source, 1)
      case (1, true): return (channels, source, 1)
      case (2, true): return (channels, channels, 3)
      case (3, true): return (out, channels, 1)
      case (1, false): return (channels, source, 3)
      default: return (channels, channels, 3)
      }
    case .lateral(let level): return detector.map { ($0.channels, stageChannels(level - 1), 1) }
    case .output: return detector.map { ($0.channels, $0.channels, 3) }
    case .extra(let level):
      return detector.map { ($0.channels, level == 6 && $0.extraLevels == .c5 ? stageChannels(4) : $0.channels, 3) }
    case .headConvolution(_, let index), .headNormalization(_, let index):
      return detector.map { ($0.headChannels, index == 1 ? $0.channels : $0.headChannels, 3) }
    case .headOutput(let head):
      return detector.map {
        let source = $0.headConvolutions > 0 ? $0.headChannels : $0.channels
        return ($0.anchorsPerLocation * (head == .classification ? $0.classCount : 4), source, 3)
      }
    }
  }

  private func stageChannels(_ stage: Int) -> Int { (width << (stage - 1)) * (usesBottlenecks ? 4 : 1) }
}
