import DetectionCore
import Testing

@Suite struct AnchorGeneratorTests {
  @Test func anchorsAreTorchvisions() throws {
    let golden = try TorchvisionGoldens.load()
    let anchors = golden.anchorGenerator.anchors(for: golden.featureLevels)
    #expect(anchors == TorchvisionGoldens.boxes(golden.anchors.boxes))
  }

  @Test func eachLevelHasItsSizesAndStride() {
    let generator = AnchorGenerator(sizes: [[16], [32]], aspectRatios: [1], placement: AnchorPlacement(roundsCorners: false))
    let levels = [FeatureLevel(height: 2, width: 3, stride: 8), FeatureLevel(height: 1, width: 2, stride: 16)]
    #expect(generator.anchorsPerLocation == 1)
    #expect(generator.levelOffsets(for: levels) == [0, 6, 8])
    let anchors = generator.anchors(for: levels)
    #expect(anchors.count == 8)
    #expect(anchors[0] == Box(x1: -8, y1: -8, x2: 8, y2: 8))
    #expect(anchors[4] == Box(x1: 0, y1: 0, x2: 16, y2: 16), "row 1, column 1 of stride 8")
    #expect(anchors[7] == Box(x1: 0, y1: -16, x2: 32, y2: 16))
  }

  @Test func areaStaysAsTheRatioChanges() {
    let generator = AnchorGenerator(sizes: [[20, 25]], aspectRatios: [0.5, 1, 3], placement: AnchorPlacement(roundsCorners: false))
    let base = generator.baseAnchors(level: 0)
    #expect(base.count == 6)
    for (index, box) in base.enumerated() {
      let (size, ratio) = ([Float(20), 25][index % 2], [Float(0.5), 1, 3][index / 2])
      #expect(abs(box.area - size * size) < 1e-3 * size * size)
      #expect(abs(box.height / box.width - ratio) < 1e-5)
      #expect(box.x1 == -box.x2 && box.y1 == -box.y2)
    }
  }

  @Test func roundingIsHalfToEven() {
    let box = AnchorGenerator(sizes: [[5], [7]], aspectRatios: [1]).baseAnchors(level: 0)[0]
    #expect(box == Box(x1: -2, y1: -2, x2: 2, y2: 2))
    #expect(AnchorGenerator(sizes: [[5], [7]], aspectRatios: [1]).baseAnchors(level: 1)[0].x2 == 4)
  }
}
