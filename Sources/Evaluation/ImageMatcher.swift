/// One class in one image: which detection finds which object, at every IoU threshold.
struct ImageMatcher {
  /// COCO's 0.5, 0.55, ... 0.95, in numpy's arithmetic.
  static let iouThresholds: [Double] = {
    let step: Double = (0.95 - 0.5) / 9
    return (0..<9).map { (i: Int) -> Double in Double(i) * step + 0.5 } + [0.95]
  }()
  static let maximumDetections = 100

  private let groundTruth: [COCOEvaluator.GroundTruth]
  /// By descending score, at most `maximumDetections`.
  let detections: [COCOEvaluator.Found]
  /// [detections x ground truth].
  private let overlaps: [Double]

  struct Outcome {
    /// [thresholds x detections].
    var isMatched: [Bool]
    var isIgnored: [Bool]
    /// Objects that count.
    var objectCount: Int
  }

  init(groundTruth: [COCOEvaluator.GroundTruth], detections: [COCOEvaluator.Found]) {
    self.groundTruth = groundTruth
    // Equal scores stay in their order.
    let order = detections.indices.sorted { (detections[$1].score, $0) < (detections[$0].score, $1) }
    self.detections = order.prefix(Self.maximumDetections).map { detections[$0] }
    overlaps = self.detections.flatMap { found in
      groundTruth.map { found.box.overlap(with: $0.box, isCrowd: $0.isCrowd) }
    }
  }

  /// Greedy: detections choose by descending score, each the object that it overlaps most of those still free. Objects
  /// that do not count (crowds, other sizes) are chosen last and make their detection not count either.
  func match(area: AreaRange) -> Outcome {
    let bounds = area.bounds
    let ignored = groundTruth.map { $0.isCrowd || !bounds.contains($0.area) }
    let order = groundTruth.indices.filter { !ignored[$0] } + groundTruth.indices.filter { ignored[$0] }
    let count = detections.count
    var outcome = Outcome(
      isMatched: Array(repeating: false, count: Self.iouThresholds.count * count),
      isIgnored: Array(repeating: false, count: Self.iouThresholds.count * count),
      objectCount: ignored.reduce(0) { $0 + ($1 ? 0 : 1) })
    var taken = [Bool](repeating: false, count: groundTruth.count)
    for (t, threshold) in Self.iouThresholds.enumerated() {
      for i in taken.indices { taken[i] = false }
      for d in 0..<count {
        var best = min(threshold, 1 - 1e-10)
        var match: Int?
        for g in order {
          if taken[g] && !groundTruth[g].isCrowd { continue }
          if let match, !ignored[match], ignored[g] { break }
          let overlap = overlaps[d * groundTruth.count + g]
          if overlap < best { continue }
          best = overlap
          match = g
        }
        if let match {
          taken[match] = true
          outcome.isMatched[t * count + d] = true
          outcome.isIgnored[t * count + d] = ignored[match]
        } else {
          outcome.isIgnored[t * count + d] = !bounds.contains(detections[d].box.area)
        }
      }
    }
    return outcome
  }
}
