import DetectionCore

/// IoU-balanced sampling: background is drawn evenly from bins of the IoU with the nearest object, so that hard negatives
/// are not drowned by easy ones, and foreground evenly from all objects.
///
/// Pang et al., "Libra R-CNN", 2019, section 3.1, as in mmdetection's IoUBalancedNegSampler and
/// InstanceBalancedPosSampler: the bins divide the range from the floor up to the image's largest IoU (foreground
/// included); what bins are short of is drawn from the rest. Under the floor a fixed share is drawn at random. The sum is
/// divided by the anchors drawn.
public struct IoUBalancedSampling: Sampler {
  public static let name = "iou-balanced"
  public static let summary = "background evenly over IoU, foreground evenly over objects"
  public static let source = "Pang et al. 2019, arXiv 1904.02701, section 3.1; mmdetection's samplers"
  public static let parameters = [
    ParameterDescription("count", default: "512", "anchors drawn from each image, 1...1000000"),
    ParameterDescription("positiveFraction", default: "0.25", "largest share of foreground among them, 0...1"),
    ParameterDescription("bins", default: "3", "bins of IoU, 1...1000"),
    ParameterDescription("floor", default: "-1", "IoU where bins begin, -1...1; 0: over 0; -1: all background is in bins"),
    ParameterDescription("floorFraction", default: "0", "share of background drawn under the floor, 0...1"),
    ParameterDescription("seed", default: "0", "of the draw, 0 or more"),
  ]

  public let count: Int
  public let positiveFraction: Float
  public let bins: Int
  public let floor: Float
  public let floorFraction: Float
  public let seed: Int

  public init(
    count: Int = 512, positiveFraction: Float = 0.25, bins: Int = 3, floor: Float = -1, floorFraction: Float = 0,
    seed: Int = 0
  ) {
    self.count = count
    self.positiveFraction = positiveFraction
    self.bins = bins
    self.floor = floor
    self.floorFraction = floorFraction
    self.seed = seed
  }

  public init(parameters: inout ParameterReader) throws {
    count = try parameters.int("count", default: 512, in: 1...1_000_000)
    positiveFraction = try parameters.float("positiveFraction", default: 0.25, in: 0...1)
    bins = try parameters.int("bins", default: 3, in: 1...1000)
    floor = try parameters.float("floor", default: -1, in: -1...1)
    floorFraction = try parameters.float("floorFraction", default: 0, in: 0...1)
    seed = try parameters.int("seed", default: 0, in: 0...(.max))
  }

  /// - Throws: `StrategyError` where the batch does not know which objects anchors are matched with.
  public func weighting(for batch: ClassificationBatch, step: Int) throws -> Weighting {
    guard !batch.objects.isEmpty || batch.foregroundCount == 0 else {
      throw StrategyError("sampler \"\(Self.name)\" needs to know which objects anchors are matched with")
    }
    return .sampled(from: batch) { anchors in
      var generator = SeededGenerator(seed: UInt64(seed), UInt64(step), UInt64(anchors.number))
      let positives = positives(Int(Float(count) * positiveFraction), anchors, batch, &generator)
      return positives + negatives(count - positives.count, anchors, batch, &generator)
    }
  }

  private func positives(
    _ wanted: Int, _ anchors: ImageAnchors, _ batch: ClassificationBatch, _ generator: inout SeededGenerator
  ) -> [Int] {
    guard anchors.foreground.count > wanted else { return anchors.foreground }
    let instances = Dictionary(grouping: anchors.foreground) { batch.objects[$0] }.sorted { $0.key < $1.key }
    let each = Int((Float(wanted) / Float(instances.count)).rounded(.toNearestOrEven)) + 1
    let drawn = instances.flatMap { Selection.random(each, of: $0.value, using: &generator) }
    if drawn.count > wanted { return Selection.random(wanted, of: drawn, using: &generator) }
    return filled(drawn, to: wanted, from: anchors.foreground, &generator)
  }

  private func negatives(
    _ wanted: Int, _ anchors: ImageAnchors, _ batch: ClassificationBatch, _ generator: inout SeededGenerator
  ) -> [Int] {
    guard anchors.background.count > wanted else { return anchors.background }
    func isEasy(_ anchor: Int) -> Bool { floor == 0 ? batch.overlaps[anchor] == 0 : batch.overlaps[anchor] < floor }
    let underFloor = anchors.background.filter(isEasy)
    let binned = anchors.background.filter { !isEasy($0) }
    let fromBins = Int(Float(wanted) * (1 - floorFraction))
    let drawn = binned.count > fromBins ? evenly(fromBins, of: binned, image: anchors.image, batch, &generator) : binned
    let easy = Selection.random(wanted - drawn.count, of: underFloor, using: &generator)
    return filled(drawn + easy, to: wanted, from: anchors.background, &generator)
  }

  private func evenly(
    _ wanted: Int, of candidates: [Int], image: Int, _ batch: ClassificationBatch, _ generator: inout SeededGenerator
  ) -> [Int] {
    let largest = batch.overlaps[batch.imageOffsets[image]..<batch.imageOffsets[image + 1]].max() ?? 0
    let start = max(0, floor)
    let width = (largest - start) / Float(bins)
    var drawn: [Int] = []
    for bin in 0..<bins {
      let interval = (start + Float(bin) * width)..<(start + Float(bin + 1) * width)
      drawn += Selection.random(wanted / bins, of: candidates.filter { interval.contains(batch.overlaps[$0]) }, using: &generator)
    }
    return filled(drawn, to: wanted, from: candidates, &generator)
  }

  private func filled(
    _ drawn: [Int], to wanted: Int, from candidates: [Int], _ generator: inout SeededGenerator
  ) -> [Int] {
    guard drawn.count < wanted else { return drawn }
    let known = Set(drawn)
    return drawn + Selection.random(wanted - drawn.count, of: candidates.filter { !known.contains($0) }, using: &generator)
  }
}
