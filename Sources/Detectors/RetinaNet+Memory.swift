import DetectionCore
import NeuralNetwork

extension RetinaNetArchitecture {
  /// Before any of it is taken.
  /// - Throws: `EngineError` naming the setting that matters most, where the machine has not so much memory for the parameters.
  func requireMemory(
    _ parameters: [ParameterDeclaration], classCount: Int, training: Bool, available: Int? = AvailableMemory.byteCount
  ) throws {
    func bytes(_ isCounted: (ParameterDeclaration) -> Bool) -> Int {
      MemoryNeed(parameters.filter(isCounted).map { ($0.path, MemoryNeed.product($0.shape + [MemoryLayout<Float>.stride])) }).byteCount
    }
    let trained = training ? bytes(\.isTrainable) : 0
    let last = "heads/classification/logits/"
    let shares = MemoryNeed([
      ("detector.backbone.width (\(backbone.width)) or detector.backbone.depth (\(backbone.depth))", bytes { $0.path.hasPrefix("backbone/") }),
      ("detector.pyramid.channels (\(pyramid.channels))", bytes { $0.path.hasPrefix("pyramid/") }),
      (
        "the number of classes (\(classCount)) or detector.head.channels (\(head.channels))", bytes { $0.path.hasPrefix(last) }
      ),
      (
        "detector.head.channels (\(head.channels)) or detector.head.convolutions (\(head.convolutions))",
        bytes { $0.path.hasPrefix("heads/") && !$0.path.hasPrefix(last) }
      ),
    ])
    try MemoryNeed([("weights", bytes { _ in true }), ("gradients", trained), ("momentum", trained)])
      .require("the detector", advice: shares.largest.map { "lower \($0)" }, available: available)
  }
}

extension RetinaNet {
  /// Before any of it is taken.
  /// - Parameters:
  ///   - images: of a mini-batch's part, of which a step has `parts`.
  ///   - batchesAhead: that wait for their step.
  /// - Throws: `EngineError` naming the settings, where the machine has not so much memory for training on mini-batches of
  ///   this size.
  public func requireTrainingMemory(
    images: Int, height: Int, width: Int, parts: Int, batchesAhead: Int, available: Int? = AvailableMemory.byteCount
  ) throws {
    let levels = levels(height: height, width: width)
    let locations = levels.reduce(0) { $0 + $1.height * $1.width }
    let anchors = MemoryNeed.product([images, locations, anchorGenerator.anchorsPerLocation])
    let logits = MemoryNeed.floats(anchors, classCount)
    // Label, overlap, object and four deltas, each image's and all in a row; the anchors themselves.
    let targets = MemoryNeed.product([anchors, 2 * (3 + 4) * MemoryLayout<Float>.stride, parts])
    var need = MemoryNeed([
      ("images", MemoryNeed.floats(images, 3, height, width, batchesAhead + parts)), ("targets", targets),
      ("logits of all parts", parts > 1 ? MemoryNeed.product([2, parts, logits]) : 0),
    ])
    var least = need
    least.parts.append(("logits", MemoryNeed.product([2, logits])))
    least.parts.append(("input", MemoryNeed.floats(images, 3, height, width)))
    // What is far too large need not be planned.
    if !least.fits(available) {
      need = least
    } else {
      need.parts.append(
        ("activations", try Program.byteCount(
          graph, parameters: parameters, inputShape: [images, 3, height, width], training: true, precision: precision)))
    }
    let classes = need.largest?.hasPrefix("logits") == true && classCount > 1000 ? ", or fewer classes than \(classCount)" : ""
    try need.require(
      "training on \(parts > 1 ? "\(parts) x " : "")\(images) images of \(width) x \(height)",
      advice: "lower train.batchSize (\(images)) or the size of the input\(classes)", available: available)
  }
}
