import DetectionCore
import Detectors
import NeuralNetwork
import TestSupport
import Testing

/// A detector that no machine holds is an error that says how much it wants, before anything is taken.
@Suite struct HugeDetectorTests {
  static func architecture(
    depth: Int = 18, width: Int = 4, pyramid: Int = 8, head: Int = 8, convolutions: Int = 1
  ) -> RetinaNetArchitecture {
    RetinaNetArchitecture(
      backbone: ResNetArchitecture(depth: depth, width: width, stem: .small),
      pyramid: PyramidArchitecture(channels: pyramid, minLevel: 3, maxLevel: 5),
      head: HeadArchitecture(convolutions: convolutions, channels: head), anchorSizes: [[12], [24], [48]], aspectRatios: [1])
  }

  @Test(arguments: [
    (architecture(depth: 152, width: 1 << 18), 3, "lower detector.backbone.width (262144)"),
    (architecture(pyramid: 1 << 20), 3, "lower detector.pyramid.channels (1048576)"),
    (architecture(head: 1 << 20, convolutions: 16), 3, "lower detector.head.channels (1048576) or detector.head.convolutions (16)"),
    (architecture(head: 1 << 16), 1 << 22, "lower the number of classes (4194304)"),
  ]) func whatItWantsIsSaid(architecture: RetinaNetArchitecture, classCount: Int, advice: String) throws {
    let error = try thrown(EngineError.self) { try RetinaNet(architecture, classCount: classCount, seed: 0) }
    #expect(error.description.hasPrefix("the detector needs ") && error.description.contains(advice), "\(error)")
  }

  @Test func sizesThatCannotBeMultipliedAreRefused() {
    for size in [1 << 40, Int.max] {
      #expect(throws: DetectorError.self) { try RetinaNet(Self.architecture(width: size), classCount: 3, seed: nil) }
      #expect(throws: DetectorError.self) { try RetinaNet(Self.architecture(pyramid: size), classCount: 3, seed: nil) }
      #expect(throws: DetectorError.self) { try RetinaNet(Self.architecture(head: size), classCount: 3, seed: nil) }
      #expect(throws: DetectorError.self) { try RetinaNet(Self.architecture(convolutions: size), classCount: 3, seed: nil) }
      #expect(throws: DetectorError.self) { try RetinaNet(Self.architecture(), classCount: size, seed: nil) }
      #expect(throws: DetectorError.self) { try RetinaNet(Self.architecture(depth: size), classCount: 3, seed: nil) }
    }
  }

  @Test func aBatchThatIsTooLargeIsRefused() throws {
    let network = try RetinaNet(Self.architecture(), classCount: 3, seed: 0)
    try network.requireTrainingMemory(images: 2, height: 64, width: 64, parts: 1, batchesAhead: 4)
    for (images, side, parts) in [(2, 1 << 18, 1), (1 << 22, 512, 1), (2, 64, 1 << 30), (.max, 64, 4)] {
      let error = try thrown(EngineError.self) {
        try network.requireTrainingMemory(images: images, height: side, width: side, parts: parts, batchesAhead: 4)
      }
      #expect(error.description.contains("lower train.batchSize (\(images)) or the size of the input"), "\(error)")
    }
    // Just too little for what it wants inside.
    let error = try thrown(EngineError.self) {
      try network.requireTrainingMemory(images: 16, height: 512, width: 512, parts: 1, batchesAhead: 0, available: 110 << 20)
    }
    #expect(error.description.contains("activations"), "\(error)")
  }
}
