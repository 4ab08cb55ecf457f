/// Linear warm-up, then a constant rate that drops at given steps (Detectron's schedule).
public struct LearningRateSchedule: Hashable, Sendable {
  public var base: Float
  public var warmupSteps: Int
  /// Share of the base rate at step 0.
  public var warmupFactor: Float
  /// Steps at which the rate is multiplied by `decayFactor`.
  public var decaySteps: [Int]
  public var decayFactor: Float

  public init(base: Float, warmupSteps: Int = 0, warmupFactor: Float = 0.001, decaySteps: [Int] = [], decayFactor: Float = 0.1) {
    self.base = base
    self.warmupSteps = warmupSteps
    self.warmupFactor = warmupFactor
    self.decaySteps = decaySteps
    self.decayFactor = decayFactor
  }

  /// The rate of a step, from 0.
  public func rate(at step: Int) -> Float {
    var rate = base
    for decay in decaySteps where step >= decay { rate *= decayFactor }
    guard step < warmupSteps else { return rate }
    let progress = Float(step) / Float(warmupSteps)
    return rate * (warmupFactor + (1 - warmupFactor) * progress)
  }
}
