import DetectionCore
import Testing

@Suite struct SeededGeneratorTests {
  /// A seed means the same in every version. The numbers are a Python program's: with mix(z) = SplitMix64's finaliser and
  /// c = 0x9E3779B97F4A7C15, key = mix(seed + c), then key = mix(mix(key + c) + mix(part + c)) for each part of the
  /// stream, and the n-th number is mix(key + n·c).
  @Test func numbersFollowTheDefinition() {
    var generator = SeededGenerator(seed: 7, 1, 2)
    let expected: [UInt64] = [
      243_316_092_605_492_747,
      11_661_117_588_246_250_209,
      10_579_871_521_378_288_218,
      14_352_708_939_713_460_924,
      2_394_843_412_167_010_947,
    ]
    for number in expected { #expect(generator.next() == number) }
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
