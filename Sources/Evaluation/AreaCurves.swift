/// One class' precision and recall over all images, for one range of object sizes.
struct AreaCurves {
  /// [thresholds]: mean precision over 101 recalls; nil where the class has no object. At 100 detections an image.
  private(set) var precision: [Double]?
  /// By the largest number of detections an image: [thresholds], the recall reached.
  private(set) var recall: [Int: [Double]] = [:]

  static let detectionLimits = [1, 10, 100]

  init(_ images: [ImageMatcher], area: AreaRange) {
    let outcomes = images.map { $0.match(area: area) }
    let objects = outcomes.reduce(0) { $0 + $1.objectCount }
    guard objects > 0 else { return }
    for limit in Self.detectionLimits {
      let flat = zip(images.indices, images).flatMap { i, image in
        (0..<min(limit, image.detections.count)).map { (image: i, index: $0, score: image.detections[$0].score) }
      }
      let order = flat.indices.sorted { (flat[$1].score, $0) < (flat[$0].score, $1) }
      var recalls: [Double] = []
      var means: [Double] = []
      for t in ImageMatcher.iouThresholds.indices {
        var (hits, misses) = (0.0, 0.0)
        var recall: [Double] = []
        var precision: [Double] = []
        recall.reserveCapacity(order.count)
        precision.reserveCapacity(order.count)
        for position in order {
          let entry = flat[position]
          let outcome = outcomes[entry.image]
          let i = t * images[entry.image].detections.count + entry.index
          if !outcome.isIgnored[i] { if outcome.isMatched[i] { hits += 1 } else { misses += 1 } }
          recall.append(hits / Double(objects))
          precision.append(hits / (hits + misses + 0x1p-52))
        }
        recalls.append(recall.last ?? 0)
        if limit == 100 { means.append(Self.meanPrecision(recall: recall, precision: &precision)) }
      }
      self.recall[limit] = recalls
      if limit == 100 { precision = means }
    }
  }

  /// The precision at recalls 0, 0.01, ... 1, each the best at that recall or any higher one, averaged.
  private static func meanPrecision(recall: [Double], precision: inout [Double]) -> Double {
    for i in precision.indices.dropLast().reversed() { precision[i] = max(precision[i], precision[i + 1]) }
    var sum = 0.0
    var i = 0
    for step in 0...100 {
      let wanted = step == 100 ? 1 : Double(step) * 0.01
      while i < recall.count, recall[i] < wanted { i += 1 }
      if i < recall.count { sum += precision[i] }
    }
    return sum / 101
  }
}
