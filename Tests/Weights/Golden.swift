import CZlib
import Foundation
import TestSupport
import Testing

/// What a framework computes from a narrow model of random weights (scripts/parity/make_goldens.py, make_keras2_goldens.py).
struct Golden: Decodable {
  struct Image: Decodable { let height, width, side: Int }
  struct Detection: Decodable {
    let box: [Float]
    let score: Float
    let label: Int
  }
  let convention: String
  let leftovers: [String]
  /// Features by stage, or logits and deltas, of `HashedValues.pixels("pixels")`.
  let outputs: [String: TensorSample]
  let image: Image?
  let detections: [Detection]?

  static let shape = [2, 3, 64, 96]
  static let names = [
    "keras-legacy-weights.h5", "keras-legacy-model.h5", "keras3.weights.h5", "keras3.keras", "keras-retinanet.h5",
    "keras-retinanet-zero-padded.h5", "keras-retinanet-anchors.h5", "torchvision.h5", "keras-1-weights.h5",
    "keras-2.13-nested.keras", "keras-2.15-nested.weights.h5", "keras-2.15-first-resnet50.h5",
  ]

  static func named(_ name: String) throws -> Golden {
    let url = try #require(Bundle.module.url(forResource: "Goldens/expected", withExtension: "json"))
    return try #require(JSONDecoder().decode([String: Golden].self, from: Data(contentsOf: url))[name])
  }

  /// Unpacks a framework's file into a directory, under a name that does not tell what it is.
  /// - Returns: its path.
  static func file(_ name: String, in directory: TemporaryDirectory) throws -> String {
    let url = try #require(Bundle.module.url(forResource: "Goldens/\(name)", withExtension: "gz"))
    let packed = try #require(gzopen(url.path, "rb"))
    defer { gzclose(packed) }
    var data = Data()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = gzread(packed, &buffer, UInt32(buffer.count)), count > 0 { data += buffer.prefix(Int(count)) }
    let path = directory.file("weights")
    try data.write(to: URL(fileURLWithPath: path))
    return path
  }
}
