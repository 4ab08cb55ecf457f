import Datasets
import DetectionCore
import Testing

@Suite struct BatchTests {
  /// Black, with a rectangle of one colour a box.
  static func scene(_ width: Int, _ height: Int, _ boxes: [Box], id: Int = 0) -> Sample {
    var image = Image(width: width, height: height)
    for (index, box) in boxes.enumerated() {
      for y in Int(box.y1)..<Int(box.y2) {
        for x in Int(box.x1)..<Int(box.x2) { image.pixels[3 * (y * width + x) + index] = 255 }
      }
    }
    return Sample(id: id, image: image, annotations: boxes.enumerated().map { Annotation(box: $1, classIndex: $0) })
  }

  /// Mean 0 and deviation 1: pixels of 0...1.
  static func options(_ size: InputSize, flip: Float = 0) -> InputOptions {
    InputOptions(size: size, mean: [0, 0, 0], standardDeviation: [1, 1, 1], padMultiple: 16, flipProbability: flip)
  }

  static func batch(_ samples: [Sample], _ options: InputOptions, seed: UInt64 = 0) -> Batch {
    var generator = SeededGenerator(seed: seed)
    return Batch(samples: samples, options: options, generator: &generator)
  }

  /// The colour in the middle of a box, and just outside its left edge.
  private func colors(_ batch: Batch, _ image: Int, _ box: Box) -> (inside: [Float], left: [Float]) {
    let plane = batch.width * batch.height
    func color(_ x: Float, _ y: Float) -> [Float] {
      (0..<3).map { batch.pixels[(3 * image + $0) * plane + Int(y) * batch.width + Int(x)] }
    }
    let middle = (box.y1 + box.y2) / 2
    return (color((box.x1 + box.x2) / 2, middle), color(box.x1 - 2, middle))
  }

  /// Resized or mirrored, a box still holds its rectangle.
  @Test(arguments: [Float(0), 1], [InputSize.fixed(width: 64, height: 64), .fixed(width: 32, height: 48), .shorterSide(96, longerSide: 200)])
  func boxesMoveWithTheirPixels(flip: Float, size: InputSize) {
    let boxes = [Box(x1: 4, y1: 4, x2: 14, y2: 12), Box(x1: 20, y1: 14, x2: 40, y2: 34)]
    let sample = Self.scene(48, 40, boxes)
    let batch = Self.batch([sample], Self.options(size, flip: flip))
    let image = batch.images[0]
    #expect(image.isFlipped == (flip == 1) && image.annotations.count == 2)
    for annotation in image.annotations {
      let (inside, left) = colors(batch, 0, annotation.box)
      #expect(inside == (0..<3).map { $0 == annotation.classIndex ? 1 : 0 })
      #expect(left.allSatisfy { $0 < 0.5 })
      let original = image.originalBox(annotation.box), expected = boxes[annotation.classIndex]
      #expect(abs(original.x1 - expected.x1) < 1e-3 && abs(original.y1 - expected.y1) < 1e-3)
      #expect(abs(original.x2 - expected.x2) < 1e-3 && abs(original.y2 - expected.y2) < 1e-3)
      #expect(abs(annotation.area - Double(annotation.box.area)) < 1e-2)
    }
  }

  @Test func pixelsAreNormalisedAndPaddingIsZero() {
    let image = Image(width: 2, height: 1, pixels: [0, 51, 255, 102, 204, 153])
    let options = InputOptions(
      size: .shorterSide(1, longerSide: 2), mean: [0.1, 0.2, 0.3], standardDeviation: [0.5, 0.25, 2], padMultiple: 4)
    let batch = Self.batch([Sample(id: 3, image: image, annotations: [])], options)
    #expect(batch.width == 4 && batch.height == 4 && batch.pixels.count == 48 && batch.images[0].id == 3)
    let expected: [Float] = [(0 - 0.1) / 0.5, (0.4 - 0.1) / 0.5, (0.2 - 0.2) / 0.25, (0.8 - 0.2) / 0.25, (1 - 0.3) / 2, (0.6 - 0.3) / 2]
    for channel in 0..<3 {
      for x in 0..<2 { #expect(abs(batch.pixels[16 * channel + x] - expected[2 * channel + x]) < 1e-6) }
    }
    #expect(batch.pixels.indices.filter { $0 % 16 > 1 }.allSatisfy { batch.pixels[$0] == 0 })
  }

  @Test func boxesAreCutToTheImageAndDroppedOutside() {
    var sample = Self.scene(20, 20, [])
    sample.annotations = [
      Annotation(box: Box(x1: -5, y1: 15, x2: 10, y2: 40), classIndex: 0),
      Annotation(box: Box(x1: 30, y1: 0, x2: 40, y2: 10), classIndex: 1),
      Annotation(box: Box(x1: 1, y1: 1, x2: 2, y2: 2), classIndex: 2, isCrowd: true, area: 0.5),
    ]
    let annotations = Self.batch([sample], Self.options(.fixed(width: 40, height: 40))).images[0].annotations
    #expect(annotations.map(\.classIndex) == [0, 2])
    #expect(annotations[0].box == Box(x1: 0, y1: 30, x2: 20, y2: 40))
    #expect(annotations[1].isCrowd && annotations[1].area == 2)
  }

  @Test func imagesOfOtherSizesShareABatch() {
    let samples = [Self.scene(40, 20, [Box(x1: 10, y1: 5, x2: 20, y2: 15)], id: 1), Self.scene(20, 40, [], id: 2)]
    let batch = Self.batch(samples, Self.options(.shorterSide(20, longerSide: 100)))
    #expect(batch.width == 48 && batch.height == 48)
    #expect(batch.images.map(\.width) == [40, 20] && batch.images.map(\.height) == [20, 40])
    #expect(colors(batch, 0, batch.images[0].annotations[0].box).inside == [1, 0, 0])
    #expect(batch.pixels[(3 * 48 * 48)...].allSatisfy { $0 == 0 })
  }

  @Test func aboutHalfAreMirroredAtOneHalf() {
    let samples = (0..<400).map { _ in Self.scene(4, 4, []) }
    let options = Self.options(.fixed(width: 4, height: 4), flip: 0.5)
    let flips = Self.batch(samples, options, seed: 1).images.map(\.isFlipped)
    #expect((150...250).contains(flips.filter { $0 }.count))
    #expect(Self.batch(samples, options, seed: 1).images.map(\.isFlipped) == flips)
    #expect(Self.batch(samples, options, seed: 2).images.map(\.isFlipped) != flips)
  }
}
