import CDetectionKernels
import DetectionCore
import Foundation
import Testing

extension instruction_set: @retroactive CustomTestStringConvertible {
  public var testDescription: String { ["baseline", "AVX2", "AVX-512"][Int(rawValue)] }

  /// Those that this processor has.
  static var available: [instruction_set] {
    [INSTRUCTION_SET_BASELINE, INSTRUCTION_SET_AVX2, INSTRUCTION_SET_AVX512].filter { $0.rawValue <= best_instruction_set().rawValue }
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
    _ weighting: Weighting, on isa: instruction_set
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
      let x = Double(logits[i]), anchor = i / classCount, e = exp(-abs(x))
      let t = isTarget(i) ? weighting.target(anchor) : 0
      let p = x < 0 ? e / (1 + e) : 1 / (1 + e), rest = x < 0 ? 1 / (1 + e) : e / (1 + e)
      let difference = t == 1 ? -rest : p - t
      let loss = t * max(-x, 0) + (1 - t) * max(x, 0) + log1p(e)
      let (weight, slope) = weighting.weight(anchor, i % classCount, abs(difference), isTarget(i), labels[anchor] > 0)
      sum += weight * loss
      return weight * difference + slope * (difference < 0 ? -1 : 1) * p * rest * loss
    }
    return (sum, gradient)
  }
}

/// What an element weighs, and the weight's derivative by the error |p - t|; and the targets of foreground anchors.
struct ReferenceWeighting: Sendable {
  var target: @Sendable (_ anchor: Int) -> Double = { _ in 1 }
  let weight:
    @Sendable (_ anchor: Int, _ classIndex: Int, _ error: Double, _ isTarget: Bool, _ isForeground: Bool)
      -> (value: Double, slope: Double)
}

/// A law as a strategy's author would state it.
struct TestLaw: ElementWeighting {
  let carriesGradient: Bool
  let weight: @Sendable (_ anchor: Int, _ error: Double, _ isTarget: Bool) -> (Double, Double)

  func weigh(_ block: WeightingBlock) {
    for (row, anchor) in block.anchors.enumerated() {
      let own = block.target(ofAnchor: row)
      for i in (row * block.classCount)..<((row + 1) * block.classCount) {
        let (value, slope) = weight(anchor, Double(block.errors[i]), i == own)
        block.weights[i] = Float(value)
        if carriesGradient { block.slopes[i] = Float(slope) }
      }
    }
  }
}

/// A weighting as a strategy states it, and by its formula.
struct LossForm: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let weighting: Weighting
  let reference: ReferenceWeighting
  /// Whether the gradient is that of the sum: not so where the weights depend on the logits but are taken as numbers.
  var isWholeGradient = true

  static let uniform = LossForm(
    testDescription: "uniform", weighting: Weighting(normalizer: 1),
    reference: ReferenceWeighting { _, _, _, _, _ in (1, 0) })

  static func focal(gamma: Float, alpha: Float) -> LossForm {
    LossForm(
      testDescription: "focal \(gamma)",
      weighting: Weighting(law: .focal(gamma: gamma, targetAlpha: alpha, otherAlpha: 1 - alpha), normalizer: 1),
      reference: ReferenceWeighting { _, _, error, isTarget, _ in
        let (alpha, gamma) = (Double(isTarget ? alpha : 1 - alpha), Double(gamma))
        return (alpha * pow(error, gamma), gamma == 0 ? 0 : alpha * gamma * pow(error, gamma - 1))
      })
  }

  static func bins(_ weights: [Float]) -> LossForm {
    LossForm(
      testDescription: "\(weights.count) bins", weighting: Weighting(law: .bins(weights), normalizer: 1),
      reference: ReferenceWeighting { _, _, error, _, _ in
        (Double(weights[min(Int(error * Double(weights.count)), weights.count - 1)]), 0)
      },
      isWholeGradient: false)
  }

  /// w = (anchor mod 3 + 1)·(e² + 0.1), of targets 1.5 - e.
  static func custom(carriesGradient: Bool) -> LossForm {
    @Sendable func weight(_ anchor: Int, _ error: Double, _ isTarget: Bool) -> (Double, Double) {
      let factor = Double(anchor % 3 + 1)
      return isTarget ? (1.5 - error, -1) : (factor * (error * error + 0.1), factor * 2 * error)
    }
    return LossForm(
      testDescription: carriesGradient ? "custom" : "custom, detached",
      weighting: Weighting(law: .custom(TestLaw(carriesGradient: carriesGradient, weight: weight)), normalizer: 1),
      reference: ReferenceWeighting { anchor, _, error, isTarget, _ in
        let (value, slope) = weight(anchor, error, isTarget)
        return (value, carriesGradient ? slope : 0)
      },
      isWholeGradient: carriesGradient)
  }

  // MARK: On top of a law

  private static func anchorWeight(_ anchor: Int) -> Float { [1, 0, 0.25, 2, 1][anchor % 5] }
  private static func classWeight(_ classIndex: Int) -> Float { [1, 0, 0.5][classIndex % 3] }
  private static func softTarget(_ anchor: Int) -> Float { [0.5, 0.875, 0, 1, 0.3][anchor % 5] }

  func perAnchor(_ anchors: Int) -> LossForm {
    var (form, reference) = (weighting, reference)
    form.anchorWeights = (0..<anchors).map(Self.anchorWeight)
    let weight = reference.weight
    reference = ReferenceWeighting(target: reference.target) { anchor, classIndex, error, isTarget, isForeground in
      let (value, slope) = weight(anchor, classIndex, error, isTarget, isForeground)
      let factor = Double(Self.anchorWeight(anchor))
      return (factor * value, factor * slope)
    }
    return LossForm(
      testDescription: "\(testDescription), per anchor", weighting: form, reference: reference,
      isWholeGradient: isWholeGradient)
  }

  func withOtherClassWeights(_ classes: Int) -> LossForm {
    var (form, reference) = (weighting, reference)
    form.otherClassWeights = (0..<classes).map(Self.classWeight)
    let weight = reference.weight
    reference = ReferenceWeighting(target: reference.target) { anchor, classIndex, error, isTarget, isForeground in
      let (value, slope) = weight(anchor, classIndex, error, isTarget, isForeground)
      let factor = isForeground && !isTarget ? Double(Self.classWeight(classIndex)) : 1
      return (factor * value, factor * slope)
    }
    return LossForm(
      testDescription: "\(testDescription), other classes", weighting: form, reference: reference,
      isWholeGradient: isWholeGradient)
  }

  /// - Parameter weighted: with weights of their own, 1 + target.
  func withSoftTargets(_ anchors: Int, weighted: Bool) -> LossForm {
    var form = weighting
    let targets = (0..<anchors).map(Self.softTarget)
    form.softTargets = SoftTargets(values: targets, weights: weighted ? targets.map { 1 + $0 } : nil)
    let weight = reference.weight
    let reference = ReferenceWeighting(target: { Double(Self.softTarget($0)) }) { anchor, classIndex, error, isTarget, isForeground in
      weighted && isTarget
        ? (1 + Double(Self.softTarget(anchor)), 0) : weight(anchor, classIndex, error, isTarget, isForeground)
    }
    return LossForm(
      testDescription: "\(testDescription), soft targets\(weighted ? " with weights" : "")", weighting: form,
      reference: reference, isWholeGradient: isWholeGradient)
  }

  static func all(anchors: Int, classes: Int) -> [LossForm] {
    let laws = [
      uniform, focal(gamma: 2, alpha: 0.25), focal(gamma: 0, alpha: 0.5), focal(gamma: 1.7, alpha: 0.9),
      bins([0.1, 3, 0.5, 0, 1.25]), bins((0..<41).map { Float($0 % 7) / 4 }), custom(carriesGradient: true),
      custom(carriesGradient: false),
    ]
    return laws + [laws[0], laws[1], laws[4], laws[6]].flatMap {
      [
        $0.perAnchor(anchors), $0.withOtherClassWeights(classes), $0.withSoftTargets(anchors, weighted: false),
        $0.withSoftTargets(anchors, weighted: true),
        $0.withSoftTargets(anchors, weighted: false).withOtherClassWeights(classes).perAnchor(anchors),
      ]
    }
  }
}
