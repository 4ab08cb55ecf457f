import Datasets
import DetectionCore
import Detectors
import Parallel

/// What the anchors of all of a mini-batch's images, part by part, are trained towards, in a row.
struct BatchTargets {
  /// [parts]: an image's anchors.
  private let anchors: [[Box]]
  let labels: [Int32]
  let overlaps: [Float]
  let objects: [Int32]
  let boxTargets: [Float]
  /// Indexes of foreground anchors, ascending.
  let foreground: [Int]
  let imageOffsets: [Int]
  /// [parts]: where each part's images' anchors are.
  let partRanges: [Range<Int>]

  init(_ batches: [Batch], network: RetinaNet, matcher: Matcher, coder: BoxCoder) {
    let anchors = batches.map { network.anchorGenerator.anchors(for: network.levels(height: $0.height, width: $0.width)) }
    let all = zip(batches, anchors).flatMap { batch, anchors in batch.images.map { (image: $0, anchors: anchors) } }
    var images = [AnchorTargets?](repeating: nil, count: all.count)
    images.withUnsafeMutableBufferPointer { images in
      nonisolated(unsafe) let images = images
      Parallel.forChunks(of: all.count) { _, range in
        for i in range {
          let objects = all[i].image.annotations.filter { !$0.isCrowd }
          images[i] = AnchorTargets(
            anchors: all[i].anchors, boxes: objects.map(\.box), classIndexes: objects.map(\.classIndex), matcher: matcher,
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
    let offsets = targets.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.labels.count) }
    imageOffsets = offsets
    foreground = zip(targets, offsets).flatMap { target, offset in target.foreground.map { $0 + offset } }
    partRanges = zip(batches, anchors).reduce(into: []) { ranges, part in
      let start = ranges.last?.upperBound ?? 0
      ranges.append(start..<start + part.0.images.count * part.1.count)
    }
  }

  /// [anchors]: the IoU of each foreground anchor's predicted box with its object's box, 0 elsewhere.
  /// - Throws: `StrategyError` where a predicted box is not finite.
  func qualities(deltas: UnsafeBufferPointer<Float>, coder: BoxCoder) throws -> [Float] {
    var qualities = [Float](repeating: 0, count: labels.count)
    var part = 0
    for anchor in foreground {
      while !partRanges[part].contains(anchor) { part += 1 }
      let box = anchors[part][(anchor - partRanges[part].lowerBound) % anchors[part].count]
      func decoded(_ values: some Collection<Float>) -> Box {
        var delta = SIMD4<Float>()
        for (i, value) in values.enumerated() { delta[i] = value }
        return coder.decode(delta, anchor: box)
      }
      let elements = (4 * anchor)..<(4 * anchor + 4)
      let predicted = decoded(deltas[elements])
      guard predicted.x1.isFinite, predicted.y1.isFinite, predicted.x2.isFinite, predicted.y2.isFinite else {
        throw StrategyError("the box of anchor \(anchor) is not finite: training has diverged")
      }
      qualities[anchor] = predicted.iou(with: decoded(boxTargets[elements]))
    }
    return qualities
  }
}
