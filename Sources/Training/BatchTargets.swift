import Datasets
import DetectionCore
import Detectors
import Parallel

/// What the anchors of all of a mini-batch's images are trained towards, in a row.
struct BatchTargets {
  private let anchors: [Box]
  let labels: [Int32]
  let overlaps: [Float]
  let objects: [Int32]
  let boxTargets: [Float]
  /// Indexes of foreground anchors, ascending.
  let foreground: [Int]
  let imageOffsets: [Int]

  init(_ batch: Batch, network: RetinaNet, matcher: Matcher, coder: BoxCoder) {
    let anchors = network.anchorGenerator.anchors(for: network.levels(height: batch.height, width: batch.width))
    var images = [AnchorTargets?](repeating: nil, count: batch.images.count)
    images.withUnsafeMutableBufferPointer { images in
      nonisolated(unsafe) let images = images
      Parallel.forChunks(of: batch.images.count) { _, range in
        for i in range {
          let objects = batch.images[i].annotations.filter { !$0.isCrowd }
          images[i] = AnchorTargets(
            anchors: anchors, boxes: objects.map(\.box), classIndexes: objects.map(\.classIndex), matcher: matcher,
            coder: coder)
        }
      }
    }
    let targets = images.compactMap { $0 }
    self.anchors = anchors
    labels = targets.flatMap(\.labels)
    overlaps = targets.flatMap(\.overlaps)
    objects = targets.flatMap(\.objects)
    boxTargets = targets.flatMap(\.boxTargets)
    foreground = targets.enumerated().flatMap { image, target in target.foreground.map { $0 + image * anchors.count } }
    imageOffsets = (0...targets.count).map { $0 * anchors.count }
  }

  /// [anchors]: the IoU of each foreground anchor's predicted box with its object's box, 0 elsewhere.
  /// - Throws: `StrategyError` where a predicted box is not finite.
  func qualities(deltas: UnsafeBufferPointer<Float>, coder: BoxCoder) throws -> [Float] {
    var qualities = [Float](repeating: 0, count: labels.count)
    for anchor in foreground {
      func box(_ values: some Collection<Float>) -> Box {
        var delta = SIMD4<Float>()
        for (i, value) in values.enumerated() { delta[i] = value }
        return coder.decode(delta, anchor: anchors[anchor % anchors.count])
      }
      let elements = (4 * anchor)..<(4 * anchor + 4)
      let predicted = box(deltas[elements])
      guard predicted.x1.isFinite, predicted.y1.isFinite, predicted.x2.isFinite, predicted.y2.isFinite else {
        throw StrategyError("the box of anchor \(anchor) is not finite: training has diverged")
      }
      qualities[anchor] = predicted.iou(with: box(boxTargets[elements]))
    }
    return qualities
  }
}
