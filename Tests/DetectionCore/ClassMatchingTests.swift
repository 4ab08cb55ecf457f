import DetectionCore
import Testing

@Suite struct ClassMatchingTests {
  static func indexes(_ wanted: [String], in known: [String], numbersAreNames: Bool = true) -> [Int?] {
    ClassMatching(wanted, in: known, numbersAreNames: numbersAreNames).indexes
  }

  @Test func namesCountAndNotTheirOrder() {
    #expect(Self.indexes(["cat", "dog"], in: ["cat", "dog"]) == [0, 1])
    #expect(Self.indexes(["dog", "cat"], in: ["cat", "dog"]) == [1, 0])
    #expect(Self.indexes(["dog"], in: ["background", "cat", "dog"]) == [2])
    #expect(Self.indexes(["car", "cat"], in: ["cat", "dog"]) == [nil, 0])
    #expect(Self.indexes(["car"], in: ["tree"]) == [nil])
    // Composed and decomposed are the same name.
    #expect(Self.indexes(["caf\u{E9}", "b"], in: ["b", "cafe\u{301}"]) == [1, 0])
    #expect(Self.indexes(["a", "a"], in: ["a", "a"]) == [0, 1])
  }

  @Test func generalNamesCountByTheirPosition() {
    for known in [["class 0", "class 1"], ["class_1", "class_2"], ["LABEL-0", "LABEL-1"], ["background", "class 1", "class 2"]] {
      let matching = ClassMatching(["cat", "dog"], in: known)
      #expect(matching.indexes == [known.count - 2, known.count - 1] && matching.isByPosition && matching.unknown == nil)
      #expect(matching.note("the data set", "the detector")?.contains("\"cat\" is \"\(known[known.count - 2])\"") == true)
    }
    // Not where their number is another, or names say where they belong.
    #expect(ClassMatching(["cat"], in: ["class 0", "class 1"]).unknown == "cat")
    #expect(Self.indexes(["class 1", "class 0"], in: ["class 0", "class 1"]) == [1, 0])
    #expect(ClassMatching(["cat", "dog"], in: ["class 0", "dog"]).unknown == "cat")
    #expect(ClassMatching(["cat", "dog"], in: ["first class 1st", "class"]).unknown == "cat")
  }

  @Test func numbersMayBeNames() {
    let digits = (0...9).map(String.init)
    let others = (0...9).map { "thing\($0)x" }
    #expect(ClassMatching(others, in: digits).unknown == "thing0x")
    #expect(Self.indexes(others, in: digits, numbersAreNames: false) == (0...9).map { $0 })
    #expect(Self.indexes(digits.reversed(), in: digits) == (0...9).reversed().map { $0 })
    #expect(Self.indexes(digits.reversed(), in: digits, numbersAreNames: false) == (0...9).reversed().map { $0 })
  }

  @Test func anUnknownClassIsNamedWithTheNearest() {
    let complaint = ClassMatching(["cat", "dogs"], in: ["cat", "dog"]).complaint("the data set", "the detector")
    #expect(
      complaint
        == "the data set has 2 classes (cat, dogs), the detector 2 classes (cat, dog): no \"dogs\" among them; did you mean \"dog\"?")
    #expect(ClassMatching(["dog"], in: ["cat", "dog"]).complaint("a", "b") == nil)
  }

  @Test func aMillionClassesAreMatchedQuickly() {
    let names = (0..<300_000).map { "n\($0)" }
    #expect(Self.indexes(names.reversed(), in: names).first == 299_999)
  }
}
