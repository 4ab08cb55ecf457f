import CDetectionKernels

/// A law from outside: blocks that fit the first-level cache go through the kernels, the law, and the kernels again.
struct CustomLoop: LossLoop {
  let batch: ClassificationBatch
  let law: any ElementWeighting
  let weighting: Weighting
  let gradient: UnsafeMutableBufferPointer<Float>
  let isa: instruction_set
  /// Four buffers of so many floats, and as many logits and gradients, fit into a first-level cache.
  private static let blockElements = 1024

  /// Whole anchors; as many that blocks begin on cache lines where the classes allow it.
  private var anchorsPerBlock: Int {
    let anchors = max(1, Self.blockElements / batch.classCount)
    let line = 16 / min(16, batch.classCount & -batch.classCount)
    return anchors > line ? anchors / line * line : anchors
  }

  func run(_ anchors: Range<Int>) -> Double? {
    let step = anchorsPerBlock
    let capacity = step * batch.classCount
    return withUnsafeTemporaryAllocation(byteCount: 4 * 4 * capacity, alignment: 64) { memory -> Double? in
      let floats = memory.bindMemory(to: Float.self)
      var sum = 0.0
      for start in stride(from: anchors.lowerBound, to: anchors.upperBound, by: step) {
        let range = start..<min(start + step, anchors.upperBound)
        guard let loss = block(range, floats, capacity) else { return nil }
        sum += loss
      }
      return sum
    }
  }

  private func block(_ range: Range<Int>, _ memory: UnsafeMutableBufferPointer<Float>, _ capacity: Int) -> Double? {
    let classes = batch.classCount
    let count = range.count * classes
    func part(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
      UnsafeMutableBufferPointer(rebasing: memory[(index * capacity)..<(index * capacity + count)])
    }
    let (errors, losses, weights, slopes) = (part(0), part(1), part(2), part(3))
    let block = WeightingBlock(
      anchors: range, classCount: classes, labels: UnsafeBufferPointer(rebasing: batch.labels[range]),
      errors: UnsafeBufferPointer(errors), losses: UnsafeBufferPointer(losses), weights: weights, slopes: slopes)
    guard
      let logits = batch.logits.baseAddress.map({ $0 + range.lowerBound * classes }),
      let gradient = gradient.baseAddress.map({ $0 + range.lowerBound * classes })
    else { return 0 }
    guard
      fused_loss_forward(
        isa, logits, block.labels.baseAddress, range.count, classes, errors.baseAddress, losses.baseAddress)
    else { return nil }
    if let targets = weighting.softTargets {
      for row in 0..<range.count {
        guard let own = block.target(ofAnchor: row) else { continue }
        let term = SoftTerm(logit: logits[own], target: targets.values[range.lowerBound + row])
        (errors[own], losses[own]) = (Float(term.error), Float(term.loss))
      }
    }
    law.weigh(block)
    scale(block)
    guard Self.areWeights(weights), !law.carriesGradient || Self.areFinite(slopes) else { return nil }
    let sum = fused_loss_combine(
      isa, errors.baseAddress, losses.baseAddress, weights.baseAddress,
      law.carriesGradient ? slopes.baseAddress : nil, count, batch.exceedsCaches, gradient)
    for row in 0..<range.count {
      guard let own = block.target(ofAnchor: row) else { continue }
      let target = weighting.softTargets?.values[range.lowerBound + row] ?? 1
      let term = SoftTerm(logit: logits[own], target: target)
      let slope = law.carriesGradient ? Double(slopes[own]) * term.errorSlope * term.loss : 0
      gradient[own] = Float(Double(weights[own]) * term.difference + slope)
    }
    return sum
  }

  /// Whether all are finite, 0 or more.
  private static func areWeights(_ values: UnsafeMutableBufferPointer<Float>) -> Bool {
    // Without an early end, so that it becomes vector instructions; a comparison with what is no number is false.
    var wrong: Int32 = 0
    for value in values { wrong |= value >= 0 && value <= .greatestFiniteMagnitude ? 0 : 1 }
    return wrong == 0
  }

  private static func areFinite(_ values: UnsafeMutableBufferPointer<Float>) -> Bool {
    var wrong: Int32 = 0
    for value in values { wrong |= abs(value) <= .greatestFiniteMagnitude ? 0 : 1 }
    return wrong == 0
  }

  /// Anchors', classes' and targets' own weights.
  private func scale(_ block: WeightingBlock) {
    let classes = block.classCount
    for (row, label) in block.labels.enumerated() where label < 0 || weighting.anchorWeights != nil || label > 0 {
      let anchor = block.anchors.lowerBound + row
      let elements = (row * classes)..<((row + 1) * classes)
      let own = block.target(ofAnchor: row)
      if let own, let classWeights = weighting.otherClassWeights {
        for i in elements where i != own {
          block.weights[i] *= classWeights[i - elements.lowerBound]
          block.slopes[i] *= classWeights[i - elements.lowerBound]
        }
      }
      if let own, let weight = weighting.softTargets?.weights?[anchor] { (block.weights[own], block.slopes[own]) = (weight, 0) }
      // What an ignored anchor's elements were given, be it not a number, does not count.
      let factor = label < 0 ? 0 : weighting.anchorWeights?[anchor] ?? 1
      if factor == 0 {
        for i in elements { (block.weights[i], block.slopes[i]) = (0, 0) }
      } else if factor != 1 {
        for i in elements {
          block.weights[i] *= factor
          block.slopes[i] *= factor
        }
      }
    }
  }
}
