/// What each element (anchor and class) of a mini-batch's classification loss weighs, and what its target is.
///
/// weight = anchor's weight · (class' weight, off the target of a foreground anchor) · law(|p - t|).
public struct Weighting: Sendable {
  /// How a weight follows from its element's error |p - t|.
  public var law: WeightingLaw
  /// [anchors], 0 or more; nil for 1. A foreground anchor that weighs 0 was not sampled: its box is not trained either.
  public var anchorWeights: [Float]?
  /// [classes], 0 or more: factors of a foreground anchor's other classes; nil for 1.
  public var otherClassWeights: [Float]?
  /// In place of 1 for the foreground anchors' own classes.
  public var softTargets: SoftTargets?
  /// What the sum of weighted losses is divided by, as far as this process' share of the mini-batch goes: normalisers of
  /// all processes are added up before the division, which takes at least 1.
  public var normalizer: Double
  /// Whose it is, for errors.
  var owner = "a sampler"

  public init(
    law: WeightingLaw = .constant, anchorWeights: [Float]? = nil, otherClassWeights: [Float]? = nil,
    softTargets: SoftTargets? = nil, normalizer: Double
  ) {
    self.law = law
    self.anchorWeights = anchorWeights
    self.otherClassWeights = otherClassWeights
    self.softTargets = softTargets
    self.normalizer = normalizer
  }
}

/// How an element's weight follows from its error |p - t|. All but `custom` run in one pass over the logits.
public enum WeightingLaw: Sendable {
  /// 1.
  case constant
  /// alpha·|p - t|^gamma, the gradient flowing through the weight (Lin et al. 2017, equation 5): one alpha for each
  /// foreground anchor's own class, one for all other elements.
  case focal(gamma: Float, targetAlpha: Float = 1, otherAlpha: Float = 1)
  /// One weight for each of equally wide bins of the error from 0 to 1, taken as a number.
  case bins([Float])
  case custom(any ElementWeighting)
}

/// Targets between 0 and 1 for the foreground anchors' own classes: cross entropy is
/// -t·log(p) - (1 - t)·log(1 - p) there.
public struct SoftTargets: Sendable {
  /// [anchors], 0...1; only foreground anchors' count.
  public var values: [Float]
  /// [anchors]: weights of these elements, taken as numbers, in place of the law's; nil for the law's.
  public var weights: [Float]?

  public init(values: [Float], weights: [Float]? = nil) {
    self.values = values
    self.weights = weights
  }
}
