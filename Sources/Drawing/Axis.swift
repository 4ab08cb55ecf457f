import Foundation

/// A linear axis that spans values with a margin, and its round ticks.
struct Axis {
  let range: ClosedRange<Double>
  let ticks: [Double]
  private let digits: Int

  /// - Parameter values: what is not finite is left out; without any the axis spans 0...1.
  init(_ values: [Double]) {
    let values = values.filter(\.isFinite)
    let (low, high) = (values.min() ?? 0, values.max() ?? 1)
    let margin = high > low ? 0.06 * (high - low) : max(0.05 * abs(high), 0.5)
    range = (low - margin)...(high + margin)
    let width = range.upperBound - range.lowerBound
    let rough = width / 5
    let magnitude = pow(10, log10(rough).rounded(.down))
    let step = magnitude * ([1, 2, 5, 10].first { $0 * magnitude >= rough } ?? 10)
    digits = max(0, -Int(log10(step).rounded(.down)))
    let first = Int((range.lowerBound / step).rounded(.up)), last = Int((range.upperBound / step).rounded(.down))
    ticks = first <= last ? (first...last).map { Double($0) * step } : []
  }

  /// 0 at the range's beginning, 1 at its end.
  func position(of value: Double) -> Double { (value - range.lowerBound) / (range.upperBound - range.lowerBound) }

  func text(_ tick: Double) -> String { String(format: "%.\(digits)f", tick == 0 ? 0 : tick) }
}
