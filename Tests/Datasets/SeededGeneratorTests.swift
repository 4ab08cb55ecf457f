import DetectionCore
import Testing

@Suite struct SeededGeneratorTests {
  /// Numbers that another implementation of the definition gives: a seed means the same in every version.
  @Test func numbersAreSplitMixs() throws {
    var generator = SeededGenerator(seed: 7, 1, 2)
    for number in try ImageGoldens.load().random { #expect(String(generator.next()) == number) }
  }

  @Test func streamsDiffer() {
    func first(_ seed: UInt64, _ a: UInt64, _ b: UInt64) -> UInt64 { var g = SeededGenerator(seed: seed, a, b); return g.next() }
    let numbers = (0..<10 as Range<UInt64>).flatMap { s in (0..<10 as Range<UInt64>).flatMap { a in (0..<10 as Range<UInt64>).map { first(s, a, $0) } } }
    #expect(Set(numbers).count == 1000)
  }

  @Test func uniformNumbersFillTheirRange() {
    var generator = SeededGenerator(seed: 1)
    let numbers = (0..<20_000).map { _ in generator.uniform() }
    #expect(numbers.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(numbers.reduce(0, +) / 20_000 - 0.5) < 0.01)
    for decile in 0..<10 { #expect((1800...2200).contains(numbers.filter { Int($0 * 10) == decile }.count)) }
  }

  @Test func permutationsHoldEveryNumberOnce() {
    var generator = SeededGenerator(seed: 2)
    var firsts = Array(repeating: 0, count: 5)
    for _ in 0..<5000 {
      let order = generator.permutation(of: 5)
      #expect(order.sorted() == [0, 1, 2, 3, 4])
      firsts[order[0]] += 1
    }
    #expect(firsts.allSatisfy { (850...1150).contains($0) })
    #expect(generator.permutation(of: 0) == [] && generator.permutation(of: 1) == [0])
  }
}
