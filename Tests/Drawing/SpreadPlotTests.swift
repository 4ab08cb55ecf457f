import Datasets
import Drawing
import Testing

@Suite struct SpreadPlotTests {
  private func plot(_ values: [SpreadPlot.Values], remark: String = "") throws -> Image {
    try SpreadPlot(
      rows: values.indices.map { SpreadPlot.Row(label: "row \($0)", remark: remark) },
      panels: [SpreadPlot.Panel(title: "AP (%)", values: values)]
    ).image()
  }

  /// Columns of a row of the plot that are black at its middle, past the label: the mean's dot.
  private func dot(_ image: Image, row: Int) -> ClosedRange<Int>? {
    let y = 68 + 60 * row + 30
    let columns = (140..<image.width).filter { x in
      let i = 3 * (y * image.width + x)
      return image.pixels[i..<(i + 3)].allSatisfy { $0 < 10 }
    }
    guard let first = columns.first, let last = columns.last else { return nil }
    return first...last
  }

  @Test func aLargerMeanLiesFurtherRight() throws {
    let image = try plot([10, 20, 30].map { SpreadPlot.Values(samples: [], mean: $0, spread: 1) })
    let dots = try (0..<3).map { try #require(dot(image, row: $0)) }
    #expect(dots[0].upperBound < dots[1].lowerBound && dots[1].upperBound < dots[2].lowerBound)
    let steps = [dots[1].lowerBound - dots[0].lowerBound, dots[2].lowerBound - dots[1].lowerBound]
    #expect(abs(steps[0] - steps[1]) <= 1)
  }

  @Test func aRowWithoutValuesStaysEmpty() throws {
    let image = try plot([SpreadPlot.Values(samples: [1], mean: 1, spread: nil), SpreadPlot.Values(samples: [], mean: nil, spread: nil)])
    #expect(dot(image, row: 0) != nil)
    #expect(dot(image, row: 1) == nil)
  }

  @Test func nothingAndEqualValuesAndNonFiniteOnesAreDrawnToo() throws {
    #expect(try plot([]).height > 0)
    #expect(try plot([SpreadPlot.Values(samples: [], mean: nil, spread: nil)]).height > 0)
    #expect(try dot(plot([SpreadPlot.Values(samples: [5, 5], mean: 5, spread: 0)]), row: 0) != nil)
    #expect(try plot([SpreadPlot.Values(samples: [.nan], mean: .nan, spread: .nan), SpreadPlot.Values(samples: [1], mean: 1, spread: nil)]).width > 0)
  }

  @Test func remarksMakeRoomForThemselves() throws {
    let values = [SpreadPlot.Values(samples: [1], mean: 1, spread: nil)]
    #expect(try plot(values, remark: "2 of 3 diverged, and more to say about it").width > (try plot(values).width))
  }
}
