import ArgumentParser
import Foundation
import SamplingFree

/// COCO's average precision from boxes in memory: collecting them, matching, accumulating.
struct Evaluation: ParsableCommand {
  @Option(help: "Rows of 8 float64: image, class, x, y, width, height, area, crowd.") var objects: String
  @Option(help: "Rows of 7 float64: image, class, x, y, width, height, score.") var detections: String
  @Option(help: "Classes.") var classes = 80

  func run() throws {
    let objects = try Self.rows(objects, of: 8)
    let detections = try Self.rows(detections, of: 7)
    func run() -> COCOResult {
      var evaluator = COCOEvaluator(classCount: classes)
      for row in objects {
        evaluator.addGroundTruth(
          image: Int(row[0]), classIndex: Int(row[1]), box: EvaluationBox(x: row[2], y: row[3], width: row[4], height: row[5]),
          area: row[6], isCrowd: row[7] != 0)
      }
      for row in detections {
        evaluator.addDetection(
          image: Int(row[0]), classIndex: Int(row[1]), box: EvaluationBox(x: row[2], y: row[3], width: row[4], height: row[5]),
          score: row[6])
      }
      return evaluator.evaluate()
    }
    try Worker.serve(check: {
      let r = run()
      return [
        "stats": [
          r.ap, r.ap50, r.ap75, r.apSmall, r.apMedium, r.apLarge, r.ar1, r.ar10, r.ar100, r.arSmall, r.arMedium, r.arLarge,
        ]
      ]
    }) { _ = run() }
  }

  private static func rows(_ path: String, of columns: Int) throws -> [SIMD8<Double>] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return data.withUnsafeBytes { bytes in
      let values = bytes.bindMemory(to: Double.self)
      return stride(from: 0, to: values.count, by: columns).map { start in
        var row = SIMD8<Double>()
        for i in 0..<columns { row[i] = values[start + i] }
        return row
      }
    }
  }
}
