import DetectionCore

/// The regression loss; the classification loss follows from the sampler.
public struct LossConfiguration: Hashable, Sendable {
  public var regression = StrategyReference("smooth-l1")
  /// Factor of the regression loss.
  public var regressionWeight: Float = 1

  public init() {}

  init(_ reader: inout SectionReader) throws {
    regression = try reader.strategy("regression", regression)
    regressionWeight = try reader.float("regressionWeight", regressionWeight, in: 0...1e6)
  }

  func emit(_ emitter: inout Emitter) {
    emitter.section("loss") { e in
      e.strategy("regression", regression)
      e.value("regressionWeight", regressionWeight)
    }
  }
}
