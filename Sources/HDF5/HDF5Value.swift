/// What an attribute holds. A shape of [] is one value.
public enum HDF5Value: Hashable, Sendable {
  case integers([Int], shape: [Int])
  case floats([Double], shape: [Int])
  case strings([String], shape: [Int])
  /// A value of a type that is named but not read.
  case other(HDF5Type)

  public static func integer(_ value: Int) -> HDF5Value { .integers([value], shape: []) }
  public static func integers(_ values: [Int]) -> HDF5Value { .integers(values, shape: [values.count]) }
  public static func float(_ value: Double) -> HDF5Value { .floats([value], shape: []) }
  public static func floats(_ values: [Double]) -> HDF5Value { .floats(values, shape: [values.count]) }
  public static func string(_ value: String) -> HDF5Value { .strings([value], shape: []) }
  public static func strings(_ values: [String]) -> HDF5Value { .strings(values, shape: [values.count]) }

  public var shape: [Int] {
    switch self {
    case .integers(_, let shape), .floats(_, let shape), .strings(_, let shape): shape
    case .other: []
    }
  }

  /// What it is, for messages.
  public var kind: String {
    let values =
      switch self {
      case .integers: "whole numbers"
      case .floats: "floating-point numbers"
      case .strings: "text"
      case .other(let type): "\(type)"
      }
    return shape.isEmpty ? values : "\(values) of shape \(shape)"
  }
}

extension HDF5Object {
  /// One whole number.
  /// - Throws: `HDF5Error`: `.missing`, or `.mismatch` for anything else than a single whole number.
  public func integer(_ name: String) throws -> Int {
    let value = try attribute(name)
    if case .integers(let values, _) = value, values.count == 1 { return values[0] }
    throw mismatch(name, "one whole number", value)
  }

  /// A list of whole numbers.
  public func integers(_ name: String) throws -> [Int] {
    let value = try attribute(name)
    if case .integers(let values, let shape) = value, shape.count == 1 { return values }
    throw mismatch(name, "a list of whole numbers", value)
  }

  /// One text.
  public func string(_ name: String) throws -> String {
    let value = try attribute(name)
    if case .strings(let values, _) = value, values.count == 1 { return values[0] }
    throw mismatch(name, "one text", value)
  }

  /// A list of texts.
  public func strings(_ name: String) throws -> [String] {
    let value = try attribute(name)
    if case .strings(let values, let shape) = value, shape.count == 1 { return values }
    throw mismatch(name, "a list of texts", value)
  }

  private func mismatch(_ name: String, _ expected: String, _ found: HDF5Value) -> HDF5Error {
    var place = place
    place.attribute = name
    return place.error(.mismatch(expected: expected, found: found.kind))
  }
}
