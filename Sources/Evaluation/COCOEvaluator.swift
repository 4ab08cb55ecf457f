import Parallel

/// A box in pixels, as COCO writes it.
public struct EvaluationBox: Hashable, Sendable {
  public var x, y, width, height: Double

  public init(x: Double, y: Double, width: Double, height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  var area: Double { width * height }

  /// Intersection over union, or over this box's area where the other is a crowd.
  func overlap(with other: EvaluationBox, isCrowd: Bool) -> Double {
    let w = min(x + width, other.x + other.width) - max(x, other.x)
    let h = min(y + height, other.y + other.height) - max(y, other.y)
    guard w > 0, h > 0 else { return 0 }
    let intersection = w * h
    return intersection / (isCrowd ? area : area + other.area - intersection)
  }
}

/// COCO's average precision and recall of boxes, by the rules of pycocotools' `COCOeval`.
///
/// Collects ground truth and detections image by image; `evaluate` may be called at any time.
public struct COCOEvaluator: Sendable {
  struct GroundTruth: Sendable {
    let box: EvaluationBox
    let area: Double
    let isCrowd: Bool
  }
  struct Found: Sendable {
    let box: EvaluationBox
    let score: Double
  }
  struct Key: Hashable {
    let classIndex: Int
    let image: Int
  }

  public let classCount: Int
  private var images: Set<Int> = []
  private var groundTruth: [Key: [GroundTruth]] = [:]
  private var detections: [Key: [Found]] = [:]

  public init(classCount: Int) { self.classCount = classCount }

  /// Makes an image count that has neither objects nor detections.
  public mutating func addImage(_ id: Int) { images.insert(id) }

  /// - Parameter area: square pixels, by which objects are small, medium or large.
  public mutating func addGroundTruth(image: Int, classIndex: Int, box: EvaluationBox, area: Double, isCrowd: Bool) {
    images.insert(image)
    groundTruth[Key(classIndex: classIndex, image: image), default: []].append(
      GroundTruth(box: box, area: area, isCrowd: isCrowd))
  }

  public mutating func addDetection(image: Int, classIndex: Int, box: EvaluationBox, score: Double) {
    images.insert(image)
    detections[Key(classIndex: classIndex, image: image), default: []].append(Found(box: box, score: score))
  }

  /// Precision and recall over all images and classes.
  public func evaluate() -> COCOResult {
    let order = images.sorted()
    var curves = [[AreaCurves]](repeating: [], count: classCount)
    curves.withUnsafeMutableBufferPointer { curves in
      nonisolated(unsafe) let curves = curves
      Parallel.forChunks(of: classCount) { _, classes in
        for classIndex in classes {
          let pairs = order.compactMap { image -> ImageMatcher? in
            let key = Key(classIndex: classIndex, image: image)
            guard groundTruth[key] != nil || detections[key] != nil else { return nil }
            return ImageMatcher(groundTruth: groundTruth[key] ?? [], detections: detections[key] ?? [])
          }
          curves[classIndex] = AreaRange.allCases.map { AreaCurves(pairs, area: $0) }
        }
      }
    }
    return COCOResult(curves)
  }
}

/// Sizes of objects, in square pixels.
enum AreaRange: Int, CaseIterable {
  case all, small, medium, large

  var bounds: ClosedRange<Double> {
    switch self {
    case .all: 0...1e10
    case .small: 0...1024
    case .medium: 1024...9216
    case .large: 9216...1e10
    }
  }
}
