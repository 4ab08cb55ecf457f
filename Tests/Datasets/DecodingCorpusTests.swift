import Datasets
import Foundation
import Testing

/// What Goldens/make_decoding.py wrote.
private struct DecodingCorpus: Decodable {
  struct Picture: Decodable {
    let width, height: Int
    let pixels: Data
  }
  struct File: Decodable {
    let file: Data
    /// nil where the file is refused.
    let picture: Int?
    let tolerance: Int
    let warns: Bool
  }
  let pictures: [Picture]
  let files: [String: File]

  static func load() throws -> DecodingCorpus {
    let url = Bundle.module.bundleURL.appendingPathComponent("Goldens/decoding.json")
    return try JSONDecoder().decode(DecodingCorpus.self, from: Data(contentsOf: url))
  }
}

@Suite struct DecodingCorpusTests {
  @Test func everyFileIsReadAsPillowReadsIt() throws {
    let corpus = try DecodingCorpus.load()
    for (name, file) in corpus.files.sorted(by: { $0.key < $1.key }) {
      guard let index = file.picture else {
        #expect(throws: ImageError.self, "\(name)") { try Image(decoding: [UInt8](file.file), name: name) }
        continue
      }
      let picture = corpus.pictures[index]
      do {
        let image = try Image(decoding: [UInt8](file.file), name: name)
        let difference = largestDifference(image, Image(width: picture.width, height: picture.height, pixels: [UInt8](picture.pixels)))
        #expect(difference.map { $0 <= file.tolerance } == true, "\(name): \(difference.map(String.init) ?? "another size")")
      } catch { Issue.record("\(name): \(error)") }
    }
  }

  /// What a header says is what is decoded, and where it is refused, so is the file.
  @Test func headersGiveTheSizesOfThePictures() throws {
    let folder = try TemporaryFolder()
    for (name, file) in try DecodingCorpus.load().files {
      let path = folder.path("image")
      try file.file.write(to: folder.url.appendingPathComponent("image"))
      let decoded = try? DecodedImage(contentsOf: path)
      let size = try? Image.size(contentsOf: path)
      if let decoded {
        #expect(size.map { $0 == (decoded.width, decoded.height) } == true, "\(name): \(String(describing: size))")
        #expect(decoded.image.width == decoded.width && decoded.image.height == decoded.height, "\(name)")
        #expect((decoded.warning != nil) == file.warns, "\(name): \(decoded.warning ?? "no warning")")
      }
    }
  }
}
