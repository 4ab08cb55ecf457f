import DetectionCore
import Testing

@Suite struct SelectionTests {
  @Test func theLargestAreThoseOfASort() {
    var random = SeededGenerator(seed: 1)
    for count in [1, 2, 17, 500] {
      let values = (0..<600).map { _ in (random.uniform() - 0.3) * [1e-30, 1, 1e30, 3][random.index(below: 4)] }
      let candidates = random.permutation(of: 600).prefix(550).sorted()
      let chosen = Selection.largest(count, of: candidates, by: values)
      let expected = candidates.sorted { values[$0] > values[$1] }.prefix(count).sorted()
      #expect(chosen == expected)
    }
  }

  @Test func tiesGoToWhomComesFirst() {
    let values: [Float] = [1, 2, 2, 0, 2, 3, 2, -0.0]
    #expect(Selection.largest(3, of: Array(0..<8), by: values) == [1, 2, 5])
    #expect(Selection.largest(3, of: [6, 4, 2, 1, 5], by: values) == [6, 4, 5])
    #expect(Selection.largest(2, of: [0, 1, 2], by: [7, 7, 7]) == [0, 1])
  }

  @Test func boundsAreMet() {
    #expect(Selection.largest(0, of: [1, 2], by: [0, 1, 2]).isEmpty)
    #expect(Selection.largest(5, of: [1, 2], by: [0, 1, 2]) == [1, 2])
    #expect(Selection.largest(5, of: [], by: []).isEmpty)
    #expect(Selection.largest(1, of: [0, 1, 2], by: [-.infinity, .infinity, 0]) == [1])
    var random = SeededGenerator(seed: 1)
    #expect(Selection.random(0, of: [1, 2], using: &random).isEmpty && Selection.random(-1, of: [1], using: &random).isEmpty)
    #expect(Selection.random(3, of: [1, 2], using: &random) == [1, 2])
  }

  @Test func drawsAreUniformAndWithoutReplacement() {
    var random = SeededGenerator(seed: 5)
    var counts = [Int](repeating: 0, count: 10)
    for _ in 0..<3000 {
      let drawn = Selection.random(4, of: Array(0..<10), using: &random)
      #expect(Set(drawn).count == 4)
      for i in drawn { counts[i] += 1 }
    }
    // 1200 each, standard deviation 27.
    #expect(counts.allSatisfy { abs($0 - 1200) < 5 * 27 })
  }
}
