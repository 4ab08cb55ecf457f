import Suggestions

public enum StrategyKind: String, Hashable, Sendable, CaseIterable {
  case sampler, regressionLoss, lossScaler, thresholder, bias
}

/// What a listing says of a strategy.
public struct StrategyDescription: Hashable, Sendable {
  public let kind: StrategyKind
  public let name: String
  public let summary: String
  public let source: String
  public let parameters: [ParameterDescription]
}

/// The strategies that configurations may name. A value: whoever wants other strategies makes a registry of their own.
public struct StrategyRegistry: Sendable {
  private var types: [StrategyKind: [String: any Strategy.Type]] = [:]

  public init() {}

  /// Adds a strategy; one of the same kind and name is replaced.
  public mutating func register(_ type: any Sampler.Type) { types[.sampler, default: [:]][type.name] = type }
  public mutating func register(_ type: any RegressionLoss.Type) { types[.regressionLoss, default: [:]][type.name] = type }
  public mutating func register(_ type: any LossScaler.Type) { types[.lossScaler, default: [:]][type.name] = type }
  public mutating func register(_ type: any Thresholder.Type) { types[.thresholder, default: [:]][type.name] = type }
  public mutating func register(_ type: any BiasInitializer.Type) { types[.bias, default: [:]][type.name] = type }

  public var isEmpty: Bool { types.values.allSatisfy(\.isEmpty) }

  /// Adds all strategies of another registry.
  /// - Throws: `StrategyError` where one of the same kind and name is there already.
  public mutating func add(_ other: StrategyRegistry) throws {
    for kind in StrategyKind.allCases {
      try types[kind, default: [:]].merge(other.types[kind] ?? [:]) { known, _ in
        throw StrategyError("there is a \(kind.rawValue) \"\(known.name)\" already")
      }
    }
  }

  /// - Throws: `StrategyError`, listing the valid names or parameters.
  public func makeSampler(_ reference: StrategyReference) throws -> any Sampler { try make(reference, .sampler) }
  /// - Throws: `StrategyError`, listing the valid names or parameters.
  public func makeRegressionLoss(_ reference: StrategyReference) throws -> any RegressionLoss { try make(reference, .regressionLoss) }
  /// - Throws: `StrategyError`, listing the valid names or parameters.
  public func makeLossScaler(_ reference: StrategyReference) throws -> any LossScaler { try make(reference, .lossScaler) }
  /// - Throws: `StrategyError`, listing the valid names or parameters.
  public func makeThresholder(_ reference: StrategyReference) throws -> any Thresholder { try make(reference, .thresholder) }
  /// - Throws: `StrategyError`, listing the valid names or parameters.
  public func makeBiasInitializer(_ reference: StrategyReference) throws -> any BiasInitializer { try make(reference, .bias) }

  /// By name.
  public func descriptions(of kind: StrategyKind) -> [StrategyDescription] {
    (types[kind] ?? [:]).values.sorted { $0.name < $1.name }.map {
      StrategyDescription(kind: kind, name: $0.name, summary: $0.summary, source: $0.source, parameters: $0.parameters)
    }
  }

  private func make<S>(_ reference: StrategyReference, _ kind: StrategyKind) throws -> S {
    do {
      return try makeUnplaced(reference, kind)
    } catch let error as StrategyError {
      throw reference.place.map { StrategyError("\($0): \(error)") } ?? error
    }
  }

  private func makeUnplaced<S>(_ reference: StrategyReference, _ kind: StrategyKind) throws -> S {
    let known = types[kind] ?? [:]
    let names = known.keys.sorted()
    guard let type = known[reference.name] else {
      throw StrategyError(
        "no \(kind.rawValue) \"\(reference.name)\"; there are \(names.joined(separator: ", "))\(Suggestions.hint(for: reference.name, in: names))")
    }
    let owner = "\(kind.rawValue) \"\(reference.name)\""
    let valid = type.parameters.map(\.name)
    if let unknown = reference.parameters.keys.sorted().first(where: { !valid.contains($0) }) {
      let list = valid.isEmpty ? "it takes none" : "it takes \(valid.joined(separator: ", "))"
      throw StrategyError("\(owner) has no parameter \"\(unknown)\"; \(list)\(Suggestions.hint(for: unknown, in: valid))")
    }
    var reader = ParameterReader(reference.parameters, owner: owner)
    guard let strategy = try type.init(parameters: &reader) as? S else {
      throw StrategyError("\(owner) is of another kind")
    }
    return strategy
  }
}
