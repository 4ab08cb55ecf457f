import Evaluation
import Foundation
import Testing

/// A case of Goldens/coco.json, see Goldens/make_coco.py.
struct COCOCase: Decodable, Sendable, CustomTestStringConvertible {
  let classes: Int
  let images: [Int]
  /// image, class, x, y, width, height, area, crowd.
  let objects: [[Double]]
  /// image, class, x, y, width, height, score.
  let detections: [[Double]]
  /// AP, AP50, AP75, APs, APm, APl, AR1, AR10, AR100, ARs, ARm, ARl.
  let numbers: [Double]
  let ap: [Double]
  let ap50: [Double]

  var testDescription: String { "\(images.count) images, \(objects.count) objects, \(detections.count) detections" }

  static func load() throws -> [String: COCOCase] {
    let url = Bundle.module.bundleURL.appendingPathComponent("Goldens/coco.json")
    return try JSONDecoder().decode([String: COCOCase].self, from: Data(contentsOf: url))
  }

  /// By name. No closure is written in an attribute: it crashes the compiler of Swift 6.0.
  static func all() throws -> [(key: String, value: COCOCase)] { try load().sorted { $0.key < $1.key } }

  func evaluator(objects: [[Double]]? = nil, detections: [[Double]]? = nil) -> COCOEvaluator {
    func box(_ row: [Double]) -> EvaluationBox { EvaluationBox(x: row[2], y: row[3], width: row[4], height: row[5]) }
    var evaluator = COCOEvaluator(classCount: classes)
    for image in images { evaluator.addImage(image) }
    for row in objects ?? self.objects {
      evaluator.addGroundTruth(image: Int(row[0]), classIndex: Int(row[1]), box: box(row), area: row[6], isCrowd: row[7] == 1)
    }
    for row in detections ?? self.detections {
      evaluator.addDetection(image: Int(row[0]), classIndex: Int(row[1]), box: box(row), score: row[6])
    }
    return evaluator
  }
}

extension COCOResult {
  var numbers: [Double] {
    [ap, ap50, ap75, apSmall, apMedium, apLarge, ar1, ar10, ar100, arSmall, arMedium, arLarge]
  }
}

@Suite struct COCOEvaluatorTests {
  @Test(arguments: try COCOCase.all())
  func numbersArePycocotools(name: String, data: COCOCase) {
    let result = data.evaluator().evaluate()
    func check(_ ours: [Double], _ theirs: [Double], _ what: String) {
      #expect(ours.count == theirs.count)
      for (i, (a, b)) in zip(ours, theirs).enumerated() { #expect(abs(a - b) < 1e-9, "\(name): \(what)[\(i)]") }
    }
    check(result.numbers, data.numbers, "numbers")
    check(result.perClassAP, data.ap, "class AP")
    check(result.perClassAP50, data.ap50, "class AP50")
  }

  @Test func goldensCoverEveryNumber() throws {
    let cases = try COCOCase.load().values
    for i in 0..<12 { #expect(cases.contains { $0.numbers[i] > 0 && $0.numbers[i] < 1 }, "number \(i)") }
  }

  @Test func perfectDetectionsScoreOne() throws {
    let data = try #require(COCOCase.load()["mixed"])
    let objects = data.objects.filter { $0[7] == 0 }
    let result = data.evaluator(objects: objects, detections: objects.map { Array($0[0..<6]) + [0.9] }).evaluate()
    #expect(abs(result.ap - 1) < 1e-12 && abs(result.ap50 - 1) < 1e-12 && abs(result.ar100 - 1) < 1e-12)
  }

  @Test func detectionsOfNothingScoreZero() {
    var evaluator = COCOEvaluator(classCount: 1)
    evaluator.addGroundTruth(
      image: 1, classIndex: 0, box: EvaluationBox(x: 0, y: 0, width: 10, height: 10), area: 100, isCrowd: false)
    #expect(evaluator.evaluate().ap == 0 && evaluator.evaluate().ar100 == 0 && evaluator.evaluate().apLarge == -1)
    evaluator.addDetection(image: 1, classIndex: 0, box: EvaluationBox(x: 40, y: 40, width: 10, height: 10), score: 1)
    #expect(evaluator.evaluate().ap == 0)
  }

  /// Image ids decide between equal scores, not the order in which images are added.
  @Test func theOrderOfAdditionDoesNotCount() throws {
    for (name, data) in try COCOCase.load() {
      var images = COCOEvaluator(classCount: data.classes)
      for image in data.images.reversed() { images.addImage(image) }
      let byImage = { (rows: [[Double]]) in data.images.reversed().flatMap { id in rows.filter { Int($0[0]) == id } } }
      let reordered = data.evaluator(objects: byImage(data.objects), detections: byImage(data.detections))
      #expect(reordered.evaluate() == data.evaluator().evaluate(), "\(name)")
    }
  }

  /// A detection of a score below all others can cost no precision at the recalls reached before.
  @Test func lateFalseDetectionsCostNothing() throws {
    let data = try #require(COCOCase.load()["small objects"])
    let extra = data.images.map { [Double($0), 0, 2, 2, 3, 3, 0.0001] }
    let more = data.evaluator(detections: data.detections + extra).evaluate()
    #expect(abs(more.ap - data.evaluator().evaluate().ap) < 1e-12)
  }

  @Test func aCrowdTakesAnyNumberOfDetections() {
    var evaluator = COCOEvaluator(classCount: 1)
    func add(_ x: Double, _ score: Double) {
      evaluator.addDetection(image: 1, classIndex: 0, box: EvaluationBox(x: x, y: 0, width: 10, height: 10), score: score)
    }
    evaluator.addGroundTruth(
      image: 1, classIndex: 0, box: EvaluationBox(x: 0, y: 0, width: 100, height: 10), area: 1000, isCrowd: true)
    evaluator.addGroundTruth(
      image: 1, classIndex: 0, box: EvaluationBox(x: 200, y: 0, width: 10, height: 10), area: 100, isCrowd: false)
    for x in [0.0, 20, 50] { add(x, 0.9) }
    add(200, 0.5)
    #expect(abs(evaluator.evaluate().ap - 1) < 1e-12, "detections within the crowd count neither way")
    add(300, 0.8)
    #expect(abs(evaluator.evaluate().ap - 0.5) < 1e-12)
  }

  @Test func withoutAnythingThereIsNoNumber() {
    let result = COCOEvaluator(classCount: 3).evaluate()
    #expect(result.numbers.allSatisfy { $0 == -1 } && result.perClassAP == [-1, -1, -1])
  }
}
