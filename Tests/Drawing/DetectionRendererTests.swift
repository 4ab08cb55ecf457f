import Datasets
import DetectionCore
import Drawing
import Foundation
import TestSupport
import Testing

extension Image {
  fileprivate func pixel(_ x: Int, _ y: Int) -> [Int] { (0..<3).map { Int(pixels[3 * (y * width + x) + $0]) } }

  /// Positions whose pixels differ.
  fileprivate func changes(from other: Image) -> Set<SIMD2<Int>> {
    var found: Set<SIMD2<Int>> = []
    for y in 0..<height { for x in 0..<width where pixel(x, y) != other.pixel(x, y) { found.insert(SIMD2(x, y)) } }
    return found
  }
}

@Suite struct DetectionRendererTests {
  private let renderer = DetectionRenderer(classNames: ["cat", "dog", "eel"])
  private let image = Image(width: 200, height: 160, grey: 128)
  private let box = Box(x1: 60, y1: 50, x2: 140, y2: 120)

  private func close(_ a: [Int], _ b: [Int]) -> Bool { zip(a, b).allSatisfy { abs($0 - $1) <= 3 } }

  @Test func theOutlineHasTheClassColourAndTheRestStays() throws {
    let drawn = try renderer.draw([Detection(box: box, classIndex: 1, score: 0.9)], on: image)
    #expect(drawn.width == 200 && drawn.height == 160)
    // Okabe and Ito's sky blue, over half of a line 1.6 pixels wide at least.
    for (x, y) in [(60, 100), (139, 100), (100, 119)] {
      let pixel = drawn.pixel(x, y)
      #expect(pixel[2] > pixel[0] + 40, "(\(x), \(y)): \(pixel)")
    }
    for change in drawn.changes(from: image) {
      let onOutline = abs(change.x - 60) < 3 || abs(change.x - 140) < 3 || abs(change.y - 50) < 3 || abs(change.y - 120) < 3
      let onPlate = (50 - 15...50).contains(change.y) && (60...140).contains(change.x)
      #expect(onOutline || onPlate, "\(change)")
    }
    #expect(drawn.pixel(100, 85) == [128, 128, 128] && drawn.pixel(10, 10) == [128, 128, 128])
  }

  @Test func aPlateAboveTheBoxNamesClassAndScore() throws {
    func plate(_ classIndex: Int, _ score: Float) throws -> [[Int]] {
      let drawn = try renderer.draw([Detection(box: box, classIndex: classIndex, score: score)], on: image)
      return (38..<48).flatMap { y in (60..<120).map { drawn.pixel($0, y) } }
    }
    let dog = try plate(1, 0.9)
    let blue = dog.filter { $0[2] > $0[0] + 60 }.count, dark = dog.filter { $0.reduce(0, +) < 150 }.count
    #expect(blue > 150 && dark > 15, "a plate of the class' colour with dark letters on it: \(blue), \(dark)")
    #expect(try plate(1, 0.8) != dog && plate(2, 0.9) != dog && plate(1, 0.9) == dog)
    #expect(try plate(7, 0.9).contains { $0 != [128, 128, 128] }, "a class without a name")
  }

  @Test func theSurestIsOnTop() throws {
    let detections = [Detection(box: box, classIndex: 1, score: 0.9), Detection(box: box, classIndex: 0, score: 0.5)]
    let both = try renderer.draw(detections, on: image), upper = try renderer.draw([detections[0]], on: image)
    #expect(close(both.pixel(100, 119), upper.pixel(100, 119)) || both.pixel(100, 119)[2] > both.pixel(100, 119)[0])
    let plate = both.pixel(61, 45)
    #expect(plate[2] > plate[0], "blue, not orange: \(plate)")
  }

  @Test func groundTruthIsDashedAndWhite() throws {
    let drawn = try renderer.draw([], groundTruth: [Annotation(box: box, classIndex: 0)], on: image)
    let edge = (50..<120).map { drawn.pixel(60, $0) }
    #expect(edge.contains { $0[0] > 180 && $0[0] == $0[1] && $0[1] == $0[2] } && edge.contains([128, 128, 128]))
    #expect(drawn.pixel(100, 85) == [128, 128, 128])
  }

  @Test func scalingEnlargesImageAndBoxes() throws {
    let drawn = try renderer.draw([Detection(box: box, classIndex: 1, score: 0.9)], on: image, scale: 3)
    #expect(drawn.width == 600 && drawn.height == 480)
    #expect(drawn.pixel(180, 300)[2] > drawn.pixel(180, 300)[0] + 40 && drawn.pixel(300, 255) == [128, 128, 128])
    #expect(try renderer.draw([], on: image, scale: 2) == Image(width: 400, height: 320, grey: 128))
  }

  @Test(arguments: [
    Box(x1: -50, y1: -50, x2: 20, y2: 20), Box(x1: 190, y1: 150, x2: 400, y2: 400), Box(x1: 0, y1: 0, x2: 200, y2: 160),
    Box(x1: -1e9, y1: -1e9, x2: 1e9, y2: 1e9), Box(x1: 100, y1: 100, x2: 100, y2: 100),
  ])
  func boxesMayReachOverTheEdge(box: Box) throws {
    let drawn = try renderer.draw([Detection(box: box, classIndex: 2, score: 1)], groundTruth: [Annotation(box: box, classIndex: 0)], on: image)
    #expect(drawn.width == 200 && drawn.height == 160)
    #expect(!drawn.changes(from: image).isEmpty, "the plate at least shows")
  }

  @Test func picturesBeyondCairosLimitAreErrors() throws {
    let wide = Image(width: 20_000, height: 2)
    #expect(try renderer.draw([], on: wide) == wide)
    let error = try? thrown(DrawingError.self) { try renderer.draw([], on: wide, scale: 2) }
    #expect(error?.description == "a picture of 40000 x 4 pixels: sides must be 1...32767")
    #expect(throws: DrawingError.self) { try renderer.draw([], on: Image(width: 0, height: 5)) }
  }
}

@Suite struct MontageTests {
  @Test func imagesStandInRowsOnWhite() {
    let images = [Image(width: 3, height: 2, grey: 10), Image(width: 2, height: 3, grey: 20), Image(width: 1, height: 1, grey: 30)]
    let grid = Montage.grid(images, columns: 2, spacing: 1)
    #expect(grid.width == 7 && grid.height == 7)
    #expect(grid.pixel(0, 0) == [10, 10, 10] && grid.pixel(2, 1) == [10, 10, 10] && grid.pixel(0, 2) == [255, 255, 255])
    #expect(grid.pixel(3, 0) == [255, 255, 255] && grid.pixel(4, 2) == [20, 20, 20] && grid.pixel(6, 0) == [255, 255, 255])
    #expect(grid.pixel(0, 4) == [30, 30, 30] && grid.pixel(1, 4) == [255, 255, 255])
    let white = Image(width: 7, height: 7, grey: 255)
    #expect(grid.changes(from: white).count == 6 + 6 + 1)
  }

  @Test func oneImageIsItself() {
    let image = Image(width: 3, height: 2, grey: 10)
    #expect(Montage.grid([image], columns: 5) == image && Montage.grid([image], columns: 0) == image)
    #expect(Montage.grid([], columns: 3) == Image(width: 1, height: 1))
  }
}
