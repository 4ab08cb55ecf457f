import Datasets
import Parallel
import Testing

@Suite struct ResizeTests {
  @Test func sizesAndPixelsArePillows() throws {
    let golden = try ImageGoldens.load().resizes
    for target in golden.targets {
      let resized = golden.image.resized(width: target.width, height: target.height)
      let difference = try #require(largestDifference(resized, target.image))
      #expect(difference <= 1, "\(target.width) x \(target.height)")
    }
  }

  @Test func theSameSizeIsTheSameImage() throws {
    let image = try ImageGoldens.load().resizes.image
    #expect(image.resized(width: image.width, height: image.height) == image)
  }

  @Test func oneColourStaysItself() {
    let image = Image(width: 17, height: 9, grey: 201)
    for (width, height) in [(1, 1), (17, 1), (100, 100), (5, 8), (16, 9)] {
      #expect(image.resized(width: width, height: height) == Image(width: width, height: height, grey: 201))
    }
  }

  /// A linear ramp stays one, edges apart.
  @Test func rampsStayStraight() {
    var ramp = Image(width: 64, height: 1)
    for x in 0..<64 { for c in 0..<3 { ramp.pixels[3 * x + c] = UInt8(3 * x + 20) } }
    let wide = ramp.resized(width: 128, height: 1)
    for x in 2..<126 { #expect(abs(Double(wide.pixels[3 * x]) - (3 * (Double(x) + 0.5) / 2 - 1.5 + 20)) <= 0.51) }
    let narrow = ramp.resized(width: 16, height: 1)
    for x in 1..<15 { #expect(abs(Double(narrow.pixels[3 * x]) - (3 * (4 * Double(x) + 1.5) + 20)) <= 0.51) }
  }

  @Test func mirroringTwiceIsNothing() throws {
    let image = try ImageGoldens.load().resizes.image
    let mirrored = image.flippedHorizontally()
    #expect(mirrored != image && mirrored.flippedHorizontally() == image)
    for y in 0..<image.height {
      for x in 0..<image.width {
        #expect(mirrored.pixels[3 * (y * image.width + x)] == image.pixels[3 * (y * image.width + image.width - 1 - x)])
      }
    }
  }
}

@Suite struct InputSizeTests {
  @Test func theShorterSideIsMetUnlessTheLongerWouldPassItsBound() {
    let options = InputOptions(size: .shorterSide(800, longerSide: 1333))
    func size(_ width: Int, _ height: Int) -> [Int] { let s = options.resizedSize(width: width, height: height); return [s.width, s.height] }
    #expect(size(640, 480) == [1067, 800])
    #expect(size(480, 640) == [800, 1067])
    #expect(size(1000, 400) == [1333, 533])
    #expect(size(5000, 10) == [1333, 3] && size(100_000, 1) == [1333, 1])
  }

  @Test func aFixedCanvasHoldsTheWholeImage() {
    let options = InputOptions(size: .fixed(width: 200, height: 100))
    func size(_ width: Int, _ height: Int) -> [Int] { let s = options.resizedSize(width: width, height: height); return [s.width, s.height] }
    #expect(size(50, 50) == [100, 100] && size(400, 100) == [200, 50] && size(200, 100) == [200, 100])
    #expect(size(1, 100_000) == [1, 100])
  }

  @Test func batchesArePaddedToTheMultiple() {
    let free = InputOptions(size: .shorterSide(100, longerSide: 200), padMultiple: 32)
    let padded = free.paddedSize(of: [(100, 150), (120, 100)])
    #expect(padded.width == 128 && padded.height == 160)
    let fixed = InputOptions(size: .fixed(width: 100, height: 64)).paddedSize(of: [(10, 10)])
    #expect(fixed.width == 128 && fixed.height == 64, "the same for every batch")
  }
}
