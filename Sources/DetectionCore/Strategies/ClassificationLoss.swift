import CDetectionKernels
import Parallel

/// The classification loss of a mini-batch or a part of it. Sums and normalisers of parts add up.
public struct ClassificationLossValue: Hashable, Sendable {
  /// Sum of weight · cross entropy.
  public var sum: Double
  public var normalizer: Double

  public init(sum: Double, normalizer: Double) {
    self.sum = sum
    self.normalizer = normalizer
  }

  /// A mini-batch without anything to divide by has its sum as loss.
  public var value: Double { sum / max(1, normalizer) }
}

/// Weighted binary cross entropy over anchors and classes, with its gradient, in one pass over the logits.
public enum ClassificationLoss {
  /// - Parameter gradient: [anchors x classes], overwritten with d sum / d logit, neither normalised nor scaled.
  /// - Throws: `StrategyError` naming anchor and class where a logit that counts is not finite, or what is wrong with the
  ///   weighting, be it a custom law's.
  public static func evaluate(
    _ batch: ClassificationBatch, weighting: Weighting, gradient: UnsafeMutableBufferPointer<Float>
  ) throws -> ClassificationLossValue {
    try evaluate(batch, weighting: weighting, gradient: gradient, isa: best_instruction_set())
  }

  /// With the kernels of one instruction set, which the processor must have.
  package static func evaluate(
    _ batch: ClassificationBatch, weighting: Weighting, gradient: UnsafeMutableBufferPointer<Float>, isa: instruction_set
  ) throws -> ClassificationLossValue {
    precondition(gradient.count == batch.logits.count, "gradient and logits differ in size")
    try weighting.validate(for: batch)
    let loop: any LossLoop =
      if case .custom(let law) = weighting.law {
        CustomLoop(batch: batch, law: law, weighting: weighting, gradient: gradient, isa: isa)
      } else {
        FusedLoop(batch: batch, weighting: weighting, gradient: gradient, isa: isa)
      }
    let sums: [Double]
    do { sums = try batch.forChunks { anchors in loop.run(anchors) } } catch let error as StrategyError {
      // With logits that are numbers, the weights are not.
      guard case .custom = weighting.law, batch.logitThatIsNotFinite == nil else { throw error }
      throw StrategyError("\(weighting.owner): its law gave a weight that is negative or not finite, or such a slope")
    }
    let sum = sums.reduce(0, +)
    guard sum.isFinite else { throw batch.notFinite }
    return ClassificationLossValue(sum: sum, normalizer: weighting.normalizer)
  }
}

/// Loss and gradient of some whole anchors.
protocol LossLoop {
  /// - Returns: the sum; nil where a logit that counts is not finite.
  func run(_ anchors: Range<Int>) -> Double?
}

extension ClassificationBatch {
  /// Runs `body` on all cores.
  /// - Parameter body: gives nil where a logit that counts is not finite.
  /// - Returns: the results in the anchors' order.
  /// - Throws: `StrategyError` naming a logit that is not finite.
  func forChunks<T>(_ body: (Range<Int>) -> T?) throws -> [T] {
    let minimumChunk = 64
    var results = [T?](repeating: nil, count: Parallel.chunkCount(of: anchorCount, minimumChunk: minimumChunk))
    results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let results = results
      Parallel.forChunks(of: anchorCount, minimumChunk: minimumChunk) { chunk, range in results[chunk] = body(range) }
    }
    return try results.map { result in
      guard let result else { throw notFinite }
      return result
    }
  }

  fileprivate var notFinite: StrategyError {
    guard let element = logitThatIsNotFinite else {
      return StrategyError("the classification loss is not finite: training has diverged")
    }
    let (anchor, classIndex) = element.quotientAndRemainder(dividingBy: classCount)
    return StrategyError("the logit of anchor \(anchor), class \(classIndex) is \(logits[element]): training has diverged")
  }

  /// The first one of those that count.
  fileprivate var logitThatIsNotFinite: Int? {
    for anchor in 0..<anchorCount where labels[anchor] >= 0 {
      let row = anchor * classCount..<(anchor + 1) * classCount
      if let element = row.first(where: { !logits[$0].isFinite }) { return element }
    }
    return nil
  }
}

extension Weighting {
  /// - Throws: `StrategyError` where there are not as many weights as anchors or classes, or one cannot be.
  func validate(for batch: ClassificationBatch) throws {
    func check(_ values: [Float]?, _ count: Int, _ what: String, _ things: String, upTo limit: Float = .greatestFiniteMagnitude)
      throws
    {
      guard let values else { return }
      guard values.count == count else { throw StrategyError("\(owner): \(values.count) \(what) for \(count) \(things)") }
      if let i = values.firstIndex(where: { !($0 >= 0 && $0 <= limit) }) {
        throw StrategyError("\(owner): \(values[i]) as one of its \(what)")
      }
    }
    try check(anchorWeights, batch.anchorCount, "anchor weights", "anchors")
    try check(otherClassWeights, batch.classCount, "class weights", "classes")
    try check(softTargets?.values, batch.anchorCount, "soft targets", "anchors", upTo: 1)
    try check(softTargets?.weights, batch.anchorCount, "target weights", "anchors")
    guard normalizer >= 0, normalizer.isFinite else { throw StrategyError("\(owner): \(normalizer) as normaliser") }
    switch law {
    case .constant, .custom: break
    case .focal(let gamma, let targetAlpha, let otherAlpha):
      guard gamma >= 0, gamma.isFinite, targetAlpha >= 0, otherAlpha >= 0, (targetAlpha + otherAlpha).isFinite else {
        throw StrategyError("\(owner): gamma \(gamma) and alpha \(targetAlpha), \(otherAlpha) for a focal loss")
      }
    case .bins(let weights):
      try check(weights, weights.count, "bin weights", "bins")
      guard ErrorHistogram.binCounts.contains(weights.count) else {
        throw StrategyError("\(owner): \(weights.count) bin weights, must be \(ErrorHistogram.binCounts)")
      }
    }
  }
}
