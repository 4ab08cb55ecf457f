import DetectionCore

/// Leaves the classification loss as it is: w = 1.
public struct Unscaled: LossScaler {
  public static let name = "unscaled"
  public static let summary = "w = 1"
  public static let source = "the usual sum of losses"

  public init() {}
  public init(parameters: inout ParameterReader) throws {}

  public func scales(classification: Float, regression: Float) -> LossScales { LossScales(classification: 1) }
}
