/// How a value stands to a bound.
public enum Relation: String, Sendable {
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="

  func holds(_ value: Double, _ bound: Double) -> Bool {
    switch self {
    case .less: value < bound
    case .lessOrEqual: value <= bound
    case .greater: value > bound
    case .greaterOrEqual: value >= bound
    }
  }
}

extension ChapterRun {
  /// `// => text`
  public func check<Value>(_ value: Value, prints text: String, line: Int) {
    let printed = String(describing: value)
    if !OutputPattern(text).matches(printed) {
      fail("the chapter says \(text), the value is \(printed)", line: line)
    }
  }

  /// `// => ≈ value ± tolerance`
  public func check(_ value: some BinaryFloatingPoint, isNear expected: Double, tolerance: Double, line: Int) {
    if !(abs(Double(value) - expected) <= tolerance) {
      fail("the chapter says \(expected) ± \(tolerance), the value is \(value)", line: line)
    }
  }

  /// `// => ≈ value ± tolerance`
  public func check(_ value: some BinaryInteger, isNear expected: Double, tolerance: Double, line: Int) {
    check(Double(value), isNear: expected, tolerance: tolerance, line: line)
  }

  /// `// => < bound`
  public func check(_ value: some BinaryFloatingPoint, is relation: Relation, _ bound: Double, line: Int) {
    if !relation.holds(Double(value), bound) {
      fail("the chapter says \(relation.rawValue) \(bound), the value is \(value)", line: line)
    }
  }

  /// `// => < bound`
  public func check(_ value: some BinaryInteger, is relation: Relation, _ bound: Double, line: Int) {
    check(Double(value), is: relation, bound, line: line)
  }

  /// `// => throws: text`
  public func check(thrown error: any Error, says text: String, line: Int) {
    let description = String(describing: error)
    if !OutputPattern(text).matches(description) {
      fail("the chapter says the error is \(text), it is \(description)", line: line)
    }
  }

  /// The end of a `swift throws` block was reached.
  public func recordMissingThrow(line: Int) {
    fail("the chapter says this block throws, it did not", line: line)
  }
}
