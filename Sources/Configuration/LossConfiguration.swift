import DetectionCore

/// The regression loss; the classification loss follows from the sampler.
public struct LossConfiguration: Hashable, Sendable {
  public var regression = BoxRegressionLoss.smoothL1(beta: 0.11)
  /// Factor of the regression loss.
  public var regressionWeight: Float = 1

  public init() {}

  init(_ reader: inout SectionReader) throws {
    let reference = try reader.strategy("regression", StrategyReference("smoothL1", parameters: ["beta": .double(0.11)]))
    var parameters = ParameterReader(reference.parameters, owner: "loss.regression \"\(reference.name)\"")
    switch reference.name {
    case "smoothL1":
      if let unknown = reference.parameters.keys.first(where: { $0 != "beta" }) {
        throw ConfigurationError("loss.regression: smoothL1 has no parameter \"\(unknown)\"; it takes beta")
      }
      do { regression = .smoothL1(beta: try parameters.float("beta", default: 0.11, in: 1e-6...100)) } catch let error as StrategyError {
        throw ConfigurationError(error.description)
      }
    case "l1":
      guard reference.parameters.isEmpty else { throw ConfigurationError("loss.regression: l1 takes no parameters") }
      regression = .l1
    default: throw ConfigurationError("loss.regression is \"\(reference.name)\", must be smoothL1 or l1")
    }
    regressionWeight = try reader.float("regressionWeight", regressionWeight, in: 0...1e6)
  }

  func emit(_ emitter: inout Emitter) {
    emitter.section("loss") { e in
      switch regression {
      case .smoothL1(let beta): e.strategy("regression", StrategyReference("smoothL1", parameters: ["beta": .double(Double(beta))]))
      case .l1: e.text("regression", "l1")
      }
      e.value("regressionWeight", regressionWeight)
    }
  }
}
