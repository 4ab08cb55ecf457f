import Datasets
import DetectionCore
import Foundation
import Testing

@Suite struct DigitScenesTests {
  @Test func aSceneFollowsFromSeedSplitAndIndex() throws {
    let scenes = try DigitScenes(split: .train, count: 20, seed: 3)
    let again = try DigitScenes(split: .train, count: 500, seed: 3)
    for index in [7, 0, 19, 7] {  // in any order, whatever the count
      let (a, b) = (try scenes.sample(at: index), try again.sample(at: index))
      #expect(a.image == b.image && a.annotations == b.annotations && a.id == index)
    }
    let images = try [(DatasetSplit.train, UInt64(3)), (.train, 4), (.validation, 3), (.validation, 4)].map { split, seed in
      try DigitScenes(split: split, count: 1, seed: seed).sample(at: 0).image
    }
    #expect(Set(images).count == 4)
    #expect(try scenes.sample(at: 0).image != scenes.sample(at: 1).image)
  }

  @Test func headersAreTheScenes() throws {
    let scenes = try DigitScenes(split: .validation, count: 30, size: 96, seed: 1)
    for index in 0..<30 {
      let (header, sample) = (try scenes.header(at: index), try scenes.sample(at: index))
      #expect(header.annotations == sample.annotations && header.id == sample.id)
      #expect(header.width == 96 && header.height == 96 && sample.image.width == 96 && sample.image.height == 96)
    }
  }

  @Test(arguments: [32, 128, 200])
  func boxesLieInTheSceneAndHideNoOther(size: Int) throws {
    let scenes = try DigitScenes(split: .train, count: 300, size: size, seed: 2)
    var empty = 0
    for index in 0..<300 {
      let boxes = try scenes.header(at: index).annotations.map(\.box)
      if boxes.isEmpty { empty += 1 }
      #expect(boxes.count <= 8)
      for (i, box) in boxes.enumerated() {
        #expect(box.x1 >= 0 && box.y1 >= 0 && box.x2 <= Float(size) + 1e-3 && box.y2 <= Float(size) + 1e-3)
        #expect(box.width > 0 && box.height > 0)
        for other in boxes[..<i] { #expect(box.iou(with: other) <= 0.2) }
      }
    }
    #expect((1...30).contains(empty), "some scenes are empty")
  }

  /// Digit j is about 0.75^j as frequent as digit 0.
  @Test(arguments: DatasetSplit.allCases)
  func frequenciesHaveALongTail(split: DatasetSplit) throws {
    let scenes = try DigitScenes(split: split, count: 4000, seed: 0)
    var counts = Array(repeating: 0, count: 10)
    for index in 0..<4000 { for annotation in try scenes.header(at: index).annotations { counts[annotation.classIndex] += 1 } }
    for digit in 1..<10 {
      let expected = pow(0.75, Double(digit)), found = Double(counts[digit]) / Double(counts[0])
      #expect(abs(found - expected) < 0.15 * expected, "digit \(digit): \(found), not \(expected)")
    }
  }

  /// In its box a digit's ink differs from the background around it.
  @Test func digitsShow() throws {
    let scenes = try DigitScenes(split: .train, count: 40, seed: 9)
    for index in 0..<40 {
      let sample = try scenes.sample(at: index)
      func brightness(_ x: Int, _ y: Int) -> Float {
        let i = 3 * (y * 128 + x)
        return 0.299 * Float(sample.image.pixels[i]) + 0.587 * Float(sample.image.pixels[i + 1]) + 0.114 * Float(sample.image.pixels[i + 2])
      }
      for annotation in sample.annotations {
        let box = annotation.box
        let values = (Int(box.y1)..<Int(box.y2)).flatMap { y in (Int(box.x1)..<Int(box.x2)).map { brightness($0, y) } }.sorted()
        #expect(values[values.count * 19 / 20] - values[values.count / 20] > 50, "scene \(index), digit \(annotation.classIndex)")
      }
    }
  }
}

@Suite struct OptDigitsTests {
  @Test func noScanIsInBothSplits() throws {
    let digits = try OptDigits.load()
    #expect(digits.count == 1797)
    let (train, validation) = (digits.indices(for: .train), digits.indices(for: .validation))
    for digit in 0..<10 {
      #expect(Set(train[digit]).isDisjoint(with: validation[digit]))
      #expect((train[digit] + validation[digit]).sorted() == digits.labels.indices.filter { digits.labels[$0] == digit })
      #expect(abs(Double(validation[digit].count) / Double(train[digit].count) - 0.25) < 0.02)
    }
    // Nor one of the same content.
    func content(_ lists: [[Int]]) -> Set<[UInt8]> { Set(lists.joined().map { Array(digits.ink[($0 * 64)..<(($0 + 1) * 64)]) }) }
    #expect(content(train).isDisjoint(with: content(validation)))
  }

  @Test func linesAreRead() throws {
    let line = (0..<64).map { String($0 % 17) }.joined(separator: ",")
    let digits = try OptDigits(csv: Array("\(line),7\r\n\(line),0".utf8), name: "x")
    #expect(digits.labels == [7, 0] && digits.ink.count == 128 && digits.ink[16] == 16)
  }

  @Test func wrongLinesAreNamed() {
    let good = Array(repeating: "3", count: 64).joined(separator: ",")
    func message(_ text: String) -> String {
      do { return "\(try OptDigits(csv: Array(text.utf8), name: "x.csv").count)" } catch { return "\(error)" }
    }
    for (text, place) in [
      ("\(good),7\n\(good)", "x.csv:2: field 65"), ("\(good),7,1", "x.csv:1: field 66"), ("\(good),10", "x.csv:1: field 65"),
      ("17,\(good)", "x.csv:1: field 1"), ("3,,3", "x.csv:1: field 2"), ("3,x", "x.csv:1: field 2"), ("99999999999999999999", "x.csv:1: field 1"),
      ("3,-1", "x.csv:1: field 2"), ("1,2,3", "x.csv:1: field 4"),
    ] {
      #expect(message(text).hasPrefix(place), "\(text.prefix(20)): \(message(text))")
    }
    #expect(message("") == "x.csv: holds no scan" && message("\n\n") == "x.csv: holds no scan")
  }
}
