import Datasets
import DetectionCore
import Foundation
import Testing

@Suite struct TreeCrownsTests {
  static let resources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Sources/Datasets/Resources")

  private struct Tiles: Decodable {
    struct Tile: Decodable {
      let file_name: String
      let width, height: Int
      let photograph: String
      let origin: [Int]

      var box: Box { Box(x: Float(origin[0]), y: Float(origin[1]), width: Float(width), height: Float(height)) }
    }
    let images: [Tile]

    static func load(_ split: DatasetSplit) throws -> [Tile] {
      let file = TreeCrownsTests.resources.appendingPathComponent("tree-crowns/\(split.rawValue).json")
      return try JSONDecoder().decode(Tiles.self, from: Data(contentsOf: file)).images
    }
  }

  @Test(arguments: DatasetSplit.allCases)
  func everyTileIsReadAndHoldsItsBoxes(split: DatasetSplit) throws {
    let dataset = try TreeCrowns.dataset(split: split)
    #expect(dataset.classNames == ["tree"] && dataset.emptyBoxCount == 0)
    var trees = 0
    for index in 0..<dataset.count {
      let sample = try dataset.sample(at: index)
      #expect((300...500).contains(sample.image.width) && (300...500).contains(sample.image.height))
      for annotation in sample.annotations {
        let box = annotation.box
        #expect(box.x1 >= 0 && box.y1 >= 0 && box.x2 <= Float(sample.image.width) && box.y2 <= Float(sample.image.height))
        #expect(annotation.area == Double(box.area) && box.area > 0)
        trees += annotation.isCrowd ? 0 : 1
      }
    }
    #expect(trees == (split == .train ? 788 : 186))
  }

  /// Tiles of one photograph do not overlap, so no pixel is in both splits.
  @Test func noPixelIsInTwoTiles() throws {
    let tiles = try DatasetSplit.allCases.flatMap { try Tiles.load($0) }
    #expect(tiles.count == 47 && Set(tiles.map(\.file_name)).count == 47)
    for (i, a) in tiles.enumerated() {
      for b in tiles[..<i] where a.photograph == b.photograph { #expect(a.box.intersectionArea(with: b.box) == 0) }
    }
    #expect(Set(tiles.map(\.photograph)).count == 4)
  }

  @Test(arguments: ["digit-scenes", "tree-crowns"])
  func dataComesWithLicenceAndAttributionAndIsSmall(name: String) throws {
    let folder = Self.resources.appendingPathComponent(name)
    for file in ["LICENSE", "ATTRIBUTION.md"] {
      #expect(try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8).count > 200)
    }
    let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.fileSizeKey]))
    let bytes = try files.reduce(0) { try $0 + (($1 as? URL)?.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0) }
    #expect(bytes > 100_000 && bytes < 5_000_000)
  }
}
