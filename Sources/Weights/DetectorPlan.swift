import Configuration
import Detectors

/// What parameters' names and shapes say about the model they belong to.
struct DetectorPlan: Hashable, Sendable {
  struct Detector: Hashable, Sendable {
    var levels: ClosedRange<Int>
    var channels: Int
    /// nil where channels do not tell.
    var extraLevels: DetectorConfiguration.ExtraLevels?
    var headConvolutions: Int
    var headChannels: Int
    var hasHeadNormalization: Bool
    var classCount: Int
    var anchorsPerLocation: Int
  }

  var depth: Int
  /// Channels of the first stage.
  var width = 64
  /// Sides of the first kernel.
  var stemKernel = 7
  var convolutionBias = false
  /// Whether the very first block has a convolution on its shortcut; bottlenecks always have.
  var projectsFirstShortcut = true
  /// nil for a backbone alone.
  var detector: Detector?

  var usesBottlenecks: Bool { depth >= 50 }

  func blockCount(stage: Int) -> Int? { ResNetArchitecture.blockCounts[depth].map { $0[stage - 1] } }

  /// Layers in the order of the forward pass.
  var layers: [ModelLayer] {
    let convolutions = usesBottlenecks ? 3 : 2
    var layers: [ModelLayer] = [.stemConvolution, .stemNormalization]
    for (stage, count) in (ResNetArchitecture.blockCounts[depth] ?? []).enumerated() {
      for block in 1...count {
        // A stage's first block changes channels or extents; the very first one does not where there are no bottlenecks.
        let hasShortcut = block == 1 && (stage > 0 || projectsFirstShortcut)
        for index in 1...convolutions {
          layers.append(.blockConvolution(stage: stage + 1, block: block, index: index))
          layers.append(.blockNormalization(stage: stage + 1, block: block, index: index))
        }
        guard hasShortcut else { continue }
        layers.append(.blockConvolution(stage: stage + 1, block: block, index: 0))
        layers.append(.blockNormalization(stage: stage + 1, block: block, index: 0))
      }
    }
    guard let detector else { return layers }
    for level in (detector.levels.lowerBound...5).reversed() {
      layers += [.lateral(level: level), .output(level: level)]
    }
    for level in 6..<max(6, detector.levels.upperBound + 1) { layers.append(.extra(level: level)) }
    for head in ModelLayer.Head.allCases {
      for index in 1..<(detector.headConvolutions + 1) {
        layers.append(.headConvolution(head, index: index))
        if detector.hasHeadNormalization { layers.append(.headNormalization(head, index: index)) }
      }
      layers.append(.headOutput(head))
    }
    return layers
  }

  /// The model that has these parameters.
  /// - Parameter shapes: the network's shape of each parameter found, by its name in `naming`.
  /// - Returns: the plan and how many of its parameters were found, or nil where most of a backbone is missing.
  static func inferred(from shapes: [String: [Int]], _ naming: any ParameterNaming) -> (plan: DetectorPlan, found: Int)? {
    // Smaller models' names are among larger ones': what is missing counts against a depth.
    let candidates = ResNetArchitecture.blockCounts.keys.sorted().map { depth in
      let plan = DetectorPlan(depth: depth, projectsFirstShortcut: depth >= 50)
      let names = plan.layers.compactMap { $0.isNormalization ? nil : naming.name(of: .kernel, in: $0, of: plan) }
      let found = names.count { shapes[$0] != nil }
      return (plan: plan, found: found, score: 2 * found - names.count)
    }
    guard let best = candidates.max(by: { $0.score < $1.score }), best.score > 0, best.plan.isBegun(shapes, naming) else { return nil }
    var plan = best.plan
    func shape(_ parameter: ModelParameter, _ layer: ModelLayer) -> [Int]? {
      naming.name(of: parameter, in: layer, of: plan).flatMap { shapes[$0] }
    }
    if let kernel = shape(.kernel, .stemConvolution), kernel.count == 4 {
      plan.width = kernel[0]
      plan.stemKernel = kernel[2] == 3 ? 3 : 7
    } else if let gamma = shape(.gamma, .stemNormalization), gamma.count == 1 {
      plan.width = gamma[0]
    }
    plan.projectsFirstShortcut = plan.usesBottlenecks || shape(.kernel, .blockConvolution(stage: 1, block: 1, index: 0)) != nil
    plan.convolutionBias = shape(.bias, .stemConvolution) != nil
    plan.detector = Detector(shape)
    let found = plan.layers.reduce(0) { count, layer in
      count + ModelParameter.possible(in: layer).count { shape($0, layer) != nil }
    }
    return (plan, found)
  }

  /// Whether the first stage is there: deeper networks' names are those of others, too.
  private func isBegun(_ shapes: [String: [Int]], _ naming: any ParameterNaming) -> Bool {
    naming.name(of: .kernel, in: .blockConvolution(stage: 1, block: 1, index: 1), of: self).map { shapes[$0] != nil } == true
  }
}

extension DetectorPlan.Detector {
  /// nil where there is no head.
  fileprivate init?(_ shape: (ModelParameter, ModelLayer) -> [Int]?) {
    guard let logits = shape(.kernel, .headOutput(.classification)), let deltas = shape(.kernel, .headOutput(.regression)),
      let lateral = shape(.kernel, .lateral(level: 5)), logits.count == 4, deltas.count == 4, lateral.count == 4
    else { return nil }
    // What does not divide is found out where all shapes are checked.
    anchorsPerLocation = max(1, deltas[0] / 4)
    classCount = logits[0] / anchorsPerLocation
    channels = lateral[0]
    let lowest = (2...5).first { shape(.kernel, .lateral(level: $0)) != nil } ?? 5
    let highest = (6...8).last { shape(.kernel, .extra(level: $0)) != nil } ?? 5
    levels = lowest...highest
    let source = shape(.kernel, .extra(level: 6))
    let isOfPyramid = source.flatMap { source in source.count == 4 && lateral[0] != lateral[1] ? source[1] == lateral[0] : nil }
    extraLevels = isOfPyramid.map { $0 ? .p5 : .c5 }
    headConvolutions = (1...16).prefix { shape(.kernel, .headConvolution(.classification, index: $0)) != nil }.count
    let first = shape(.kernel, .headConvolution(.classification, index: 1))
    headChannels = first.flatMap { $0.count == 4 ? $0[0] : nil } ?? channels
    hasHeadNormalization = shape(.gamma, .headNormalization(.classification, index: 1)) != nil
  }
}
