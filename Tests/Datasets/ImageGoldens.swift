import Datasets
import Foundation
import Testing

/// What Goldens/make_images.py wrote.
struct ImageGoldens: Decodable {
  struct File: Decodable, Sendable {
    let file: Data
    let width, height: Int
    let pixels: Data
    let tolerance: Int

    var bytes: [UInt8] { [UInt8](file) }
  }
  struct Picture: Decodable {
    let width, height: Int
    let pixels: Data

    var image: Image { Image(width: width, height: height, pixels: [UInt8](pixels)) }
  }
  struct Resizes: Decodable {
    let width, height: Int
    let pixels: Data
    let targets: [Picture]

    var image: Image { Image(width: width, height: height, pixels: [UInt8](pixels)) }
  }

  let files: [String: File]
  let resizes: Resizes

  static func load() throws -> ImageGoldens {
    let url = Bundle.module.bundleURL.appendingPathComponent("Goldens/images.json")
    return try JSONDecoder().decode(ImageGoldens.self, from: Data(contentsOf: url))
  }

  /// By name. No closure is written in an attribute: it crashes the compiler of Swift 6.0.
  static func allFiles() throws -> [(key: String, value: File)] { try load().files.sorted { $0.key < $1.key } }
}

/// Largest difference of two images' bytes; nil if their sizes differ.
func largestDifference(_ a: Image, _ b: Image) -> Int? {
  guard a.width == b.width, a.height == b.height else { return nil }
  return zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0
}

/// A folder that goes when the value does.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("datasets-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  func write(_ text: String, to name: String) throws { try Data(text.utf8).write(to: url.appendingPathComponent(name)) }
}
