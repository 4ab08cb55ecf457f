import DetectionCore
import Foundation

/// What Goldens/make_torchvision.py wrote.
struct TorchvisionGoldens: Decodable {
  struct Anchors: Decodable {
    let levels: [[Int]]
    let strides: [Int]
    let sizes: [[Float]]
    let boxes: [Float]
  }
  struct Matches: Decodable {
    let boxes: [Float]
    let overlaps: [Float]
    let lowQuality: [Int32]
    let plain: [Int32]
  }
  struct Coder: Decodable {
    let weights: [Float]
    let anchors, boxes, encoded, deltas, decoded: [Float]
  }
  struct Suppression: Decodable {
    let boxes: [Float]
    let scores: [Float]
    let kept: [String: [Int]]
  }
  struct Loss: Decodable {
    let sum: Double
    let gradient: [Float]
  }
  struct Focal: Decodable {
    let gamma, alpha: Float
    let sum: Double
    let gradient: [Float]
  }
  struct Classification: Decodable {
    let labels: [Int32]
    let logits: [Float]
    let focal: [Focal]
    let uniform: Loss
  }
  struct Detections: Decodable {
    let logits, deltas: [Float]
    let threshold, nms: Float
    let candidates, maximum: Int
    let boxes, scores: [Float]
    let classes: [Int]
  }

  let anchors: Anchors
  let matcher: Matches
  let coder: Coder
  let suppression: Suppression
  let classification: Classification
  let detections: Detections

  static func load() throws -> TorchvisionGoldens {
    let url = Bundle.module.bundleURL.appendingPathComponent("Goldens/torchvision.json")
    return try JSONDecoder().decode(TorchvisionGoldens.self, from: Data(contentsOf: url))
  }

  var anchorGenerator: AnchorGenerator { AnchorGenerator(sizes: anchors.sizes, aspectRatios: [0.5, 1, 2]) }

  var featureLevels: [FeatureLevel] {
    zip(anchors.levels, anchors.strides).map { FeatureLevel(height: $0[0], width: $0[1], stride: $1) }
  }

  static func boxes(_ numbers: [Float]) -> [Box] {
    stride(from: 0, to: numbers.count, by: 4).map {
      Box(x1: numbers[$0], y1: numbers[$0 + 1], x2: numbers[$0 + 2], y2: numbers[$0 + 3])
    }
  }
}

extension Box {
  /// Largest distance of a coordinate.
  func distance(to other: Box) -> Float {
    max(abs(x1 - other.x1), abs(y1 - other.y1), abs(x2 - other.x2), abs(y2 - other.y2))
  }
}
