import Configuration
import DetectionCore

extension KerasModel {
  /// Replaces what a convention takes for granted by what the model says of itself.
  /// - Returns: what had to be assumed all the same, in words.
  /// - Throws: `ConventionError` for a model that this package would compute otherwise.
  func read(into configuration: inout ExperimentConfiguration, of plan: DetectorPlan, _ naming: any KerasNaming) throws -> [String] {
    guard let reader = KerasBackboneReader(self, plan, naming) else {
      return ["the model's configuration does not list its layers: the convention's settings are assumed"]
    }
    try reader.read(into: &configuration.detector.backbone)
    var notes: [String] = []
    let preparing = ["Rescaling", "Normalization", "Lambda"]
    if let layer = flat.first(where: { preparing.contains($0.kind) }) {
      notes.append(
        "the model prepares pixels itself (\(layer.kind) \"\(layer.name.escapedForDisplay)\"): the convention's mean and deviation are assumed, which may not be what it was trained with")
    }
    guard let detector = plan.detector else { return notes }
    try readPyramid(into: &configuration.detector, plan, reader)
    if try readAnchors(into: &configuration.detector, detector.levels) {
      try readBoxes(into: &configuration)
    } else {
      notes.append("the model has no anchors in it: keras-retinanet's own are assumed")
    }
    return notes
  }

  private func readPyramid(into detector: inout DetectorConfiguration, _ plan: DetectorPlan, _ reader: KerasBackboneReader) throws {
    for layer in plan.layers {
      switch layer {
      case .lateral, .output:
        let convolution = try reader.layer(layer)
        try reader.checkConvolution(convolution)
        try reader.expect(convolution, strides: 1)
        if convolution.padding != "same", convolution.window != [1, 1] { throw reader.refusal(convolution, "it does not pad as \"same\"") }
      case .extra(let level):
        let convolution = try reader.layer(layer)
        try reader.checkConvolution(convolution)
        try reader.expect(convolution, strides: 2)
        let padding = try reader.windowPadding(convolution)
        if level > 6, padding != detector.pyramid.extraPadding { throw reader.refusal(convolution, "it pads otherwise than level 6") }
        detector.pyramid.extraPadding = padding
        if level == 6 { detector.pyramid.extraLevels = convolution.inputs.first == "P5" ? .p5 : .c5 }
      case .headConvolution(_, _):
        let convolution = try reader.layer(layer)
        try reader.checkConvolution(convolution, activation: "relu")
        if convolution.padding != "same" { throw reader.refusal(convolution, "it does not pad as \"same\"") }
      case .headOutput(let head):
        let convolution = try reader.layer(layer)
        try reader.checkConvolution(
          convolution, activation: head == .classification && convolution.activation == "sigmoid" ? "sigmoid" : "linear")
        if convolution.padding != "same" { throw reader.refusal(convolution, "it does not pad as \"same\"") }
      default: break
      }
    }
  }

  /// - Returns: whether there are any; models as they are trained have none.
  private func readAnchors(into detector: inout DetectorConfiguration, _ levels: ClosedRange<Int>) throws -> Bool {
    let anchors = flat.filter { $0.kind == "Anchors" }
    if anchors.isEmpty { return false }
    func refuse(_ what: String) -> ConventionError { ConventionError("anchors: \(what)") }
    let byStride = try anchors.map { layer -> (stride: Double, layer: Layer) in
      guard let stride = layer.numbers["stride"]?.first else { throw refuse("\"\(layer.name.escapedForDisplay)\" has no stride") }
      return (stride, layer)
    }.sorted { $0.stride < $1.stride }
    guard byStride.map(\.stride) == levels.map({ Double(1 << $0) }) else {
      throw refuse("strides \(byStride.map(\.stride)) for the levels \(levels.lowerBound) to \(levels.upperBound)")
    }
    func lists(_ key: String) throws -> [[Float]] {
      try byStride.map { stride, layer in
        guard let values = layer.numbers[key], !values.isEmpty, values.allSatisfy({ $0.isFinite && (1e-3...1e5).contains($0) }) else {
          throw refuse("\"\(layer.name.escapedForDisplay)\" has no \(key)")
        }
        return values.map { Float($0) }
      }
    }
    let (sizes, ratios, scales) = (try lists("size"), try lists("ratios"), try lists("scales"))
    guard Set(ratios).count == 1, Set(scales).count == 1 else { throw refuse("ratios or scales differ from level to level") }
    detector.anchors.sizes = sizes.map { $0[0] }
    detector.anchors.aspectRatios = ratios[0]
    detector.anchors.scales = scales[0]
    return true
  }

  /// How deltas become boxes, and which of those count.
  private func readBoxes(into configuration: inout ExperimentConfiguration) throws {
    if let boxes = flat.first(where: { $0.kind == "RegressBoxes" }) {
      let (mean, deviation) = (boxes.numbers["mean"] ?? [0, 0, 0, 0], boxes.numbers["std"] ?? [0.2, 0.2, 0.2, 0.2])
      guard mean.allSatisfy({ $0 == 0 }), deviation.count == 4, deviation.allSatisfy({ (1e-3...1e3).contains($0) }) else {
        throw ConventionError("boxes: mean \(mean), deviation \(deviation): only a mean of 0 is known")
      }
      configuration.detector.boxWeights = deviation.map { Float(1 / $0) }
    }
    guard let filter = flat.first(where: { $0.kind == "FilterDetections" }) else { return }
    if filter.flags["nms"] == false || filter.flags["class_specific_filter"] == false {
      throw ConventionError("detections: filtered without suppression or not class by class")
    }
    if let overlap = filter.numbers["nms_threshold"]?.first, (0...1).contains(overlap) { configuration.detector.postProcess.nms = Float(overlap) }
    if let most = filter.numbers["max_detections"]?.first, (1...100_000).contains(most) {
      configuration.detector.postProcess.maximumDetections = Int(most)
    }
    if let score = filter.numbers["score_threshold"]?.first, (0...1).contains(score) {
      configuration.thresholder = StrategyReference("fixed", parameters: ["score": .double(score)])
    }
  }
}
