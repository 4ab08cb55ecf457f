import CFusedLoss
import DetectionCore
import Foundation
import Testing

extension fused_loss_isa: @retroactive CustomTestStringConvertible {
  public var testDescription: String { ["baseline", "AVX2", "AVX-512"][Int(rawValue)] }

  /// Those that this processor has.
  static var available: [fused_loss_isa] {
    [FUSED_LOSS_BASELINE, FUSED_LOSS_AVX2, FUSED_LOSS_AVX512].filter { $0.rawValue <= fused_loss_best_isa().rawValue }
  }
}

/// A mini-batch in arrays.
struct LossFixture {
  var logits: [Float]
  var labels: [Int32]
  let classCount: Int

  init(logits: [Float], labels: [Int32]) {
    self.logits = logits
    self.labels = labels
    classCount = labels.isEmpty ? 1 : logits.count / labels.count
  }

  /// Some anchors ignored, some foreground; most logits moderate, some far out.
  init(anchors: Int, classes: Int, seed: UInt64) {
    var random = SplitMix(seed: seed)
    logits = (0..<(anchors * classes)).map { _ in
      let range: Float = [3, 3, 3, 12, 60, 120][Int.random(in: 0..<6, using: &random)]
      return random.float(-range...range)
    }
    labels = (0..<anchors).map { _ in
      switch Int.random(in: 0..<6, using: &random) {
      case 0: -1
      case 1, 2: Int32.random(in: 1...Int32(classes), using: &random)
      default: 0
      }
    }
    classCount = classes
  }

  func isTarget(_ element: Int) -> Bool { Int(labels[element / classCount]) == element % classCount + 1 }
  func isIgnored(_ element: Int) -> Bool { labels[element / classCount] < 0 }

  func evaluate(
    _ weighting: some ElementWeighting, on isa: fused_loss_isa
  ) throws -> (value: ClassificationLossValue, gradient: [Float]) {
    var gradient = [Float](repeating: .nan, count: logits.count)
    let overlaps = [Float](repeating: 0, count: labels.count)
    let value = try logits.withUnsafeBufferPointer { logits in
      try labels.withUnsafeBufferPointer { labels in
        try overlaps.withUnsafeBufferPointer { overlaps in
          let batch = ClassificationBatch(
            logits: logits, labels: labels, overlaps: overlaps, imageOffsets: [0, labels.count], classCount: classCount)
          return try gradient.withUnsafeMutableBufferPointer {
            try ClassificationLoss.evaluate(batch, weighting: weighting, gradient: $0, isa: isa)
          }
        }
      }
    }
    return (value, gradient)
  }

  /// The same by the formulas, element by element in double precision.
  func reference(_ weighting: ReferenceWeighting) -> (sum: Double, gradient: [Double]) {
    var sum = 0.0
    let gradient = logits.indices.map { i -> Double in
      if isIgnored(i) { return 0 }
      let x = Double(logits[i]), t = isTarget(i)
      let p = x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x))
      let wrong = t ? (x < 0 ? 1 / (1 + exp(x)) : exp(-x) / (1 + exp(-x))) : p  // 1 - p_t
      let loss = max(t ? -x : x, 0) + log1p(exp(-abs(x)))
      let (weight, slope) = weighting.weight(i / classCount, p, wrong, t)
      sum += weight * loss
      return weight * (t ? -wrong : wrong) + slope * loss
    }
    return (sum, gradient)
  }
}

/// What an element weighs, and the weight's derivative by the logit, of anchor, probability, 1 - p_t and target.
struct ReferenceWeighting: Sendable {
  let weight: @Sendable (_ anchor: Int, _ p: Double, _ wrong: Double, _ isTarget: Bool) -> (value: Double, slope: Double)
}

/// The same as a strategy would state it.
struct TestWeighting: ElementWeighting {
  var form: WeightingForm
  var carriesGradient = false
  var normalizer = 1.0
  var weight: @Sendable (_ anchor: Int, _ p: Double, _ isTarget: Bool) -> (Double, Double) = { _, _, _ in (0, 0) }

  func weigh(_ block: WeightingBlock) {
    for (row, anchor) in block.anchors.enumerated() {
      for c in 0..<block.classCount {
        let i = row * block.classCount + c
        let (value, slope) = weight(anchor, Double(block.probabilities[i]), block.isTarget(anchor: row, class: c))
        block.weights[i] = Float(value)
        if carriesGradient { block.slopes[i] = Float(slope) }
      }
    }
  }
}

/// A weighting as a strategy states it, and by its formula.
struct LossForm: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let weighting: TestWeighting
  let reference: ReferenceWeighting
  /// Whether the gradient is that of the sum: not so where the weights depend on the logits but are taken as numbers.
  var isWholeGradient = true

  private static func anchorWeight(_ anchor: Int) -> Float { [1, 0, 0.25, 2, 1][anchor % 5] }

  static let uniform = LossForm(
    testDescription: "uniform", weighting: TestWeighting(form: .uniform),
    reference: ReferenceWeighting { _, _, _, _ in (1, 0) })

  static func perAnchor(_ anchors: Int) -> LossForm {
    LossForm(
      testDescription: "per anchor",
      weighting: TestWeighting(form: .perAnchor((0..<anchors).map(anchorWeight))),
      reference: ReferenceWeighting { anchor, _, _, _ in (Double(anchorWeight(anchor)), 0) })
  }

  static func focal(gamma: Float, alpha: Float) -> LossForm {
    LossForm(
      testDescription: "focal \(gamma)",
      weighting: TestWeighting(
        form: .focal(gamma: gamma, positiveAlpha: alpha, negativeAlpha: 1 - alpha), carriesGradient: true),
      reference: ReferenceWeighting { _, _, wrong, isTarget in
        let value = Double(isTarget ? alpha : 1 - alpha) * pow(wrong, Double(gamma))
        return (value, Double(gamma) * value * (1 - wrong) * (isTarget ? -1 : 1))
      })
  }

  /// w = (anchor mod 3 + 1)·(p² + 0.1), of targets p + 0.5.
  static func custom(carriesGradient: Bool) -> LossForm {
    @Sendable func weight(_ anchor: Int, _ p: Double, _ isTarget: Bool) -> (Double, Double) {
      let factor = Double(anchor % 3 + 1)
      return isTarget ? (p + 0.5, p * (1 - p)) : (factor * (p * p + 0.1), factor * 2 * p * p * (1 - p))
    }
    return LossForm(
      testDescription: carriesGradient ? "custom" : "custom, detached",
      weighting: TestWeighting(form: .custom, carriesGradient: carriesGradient, weight: weight),
      reference: ReferenceWeighting { anchor, p, _, isTarget in
        let (value, slope) = weight(anchor, p, isTarget)
        return (value, carriesGradient ? slope : 0)
      },
      isWholeGradient: carriesGradient)
  }

  static func all(anchors: Int) -> [LossForm] {
    [
      uniform, perAnchor(anchors), focal(gamma: 2, alpha: 0.25), focal(gamma: 0, alpha: 0.5), focal(gamma: 1.7, alpha: 0.9),
      custom(carriesGradient: true), custom(carriesGradient: false),
    ]
  }
}
