import Foundation
import SamplingFree
import TestSupport
import Testing

/// What is found in an image does not depend on which others share its batch.
@Suite struct BatchIndependenceTests {
  struct Mixed: DetectionDataset {
    let classNames = ["a", "b", "c"]
    let sizes = [(96, 64), (64, 96), (96, 64), (120, 40), (64, 64), (64, 96), (33, 65), (96, 64)]
    var count: Int { sizes.count }

    func header(at index: Int) -> SampleHeader {
      let box = Box(x: 4, y: 6, width: 20, height: 22)
      return SampleHeader(id: index, width: sizes[index].0, height: sizes[index].1, annotations: [Annotation(box: box, classIndex: index % 3)])
    }
    func sample(at index: Int) -> Sample {
      Sample(
        id: index, image: TrainingStepTests.noise(sizes[index].0, sizes[index].1, seed: 50 * index), annotations: header(at: index).annotations)
    }
  }

  func runner(_ placement: AnchorPlacement = AnchorPlacement()) throws -> DetectionRunner {
    useThreads(1)
    let configuration = try ExperimentConfiguration(
      yaml: "input: { shorterSide: 64, longerSide: 128 }\ndetector: { anchors: { strides: \(placement.strides.rawValue) } }", name: "test")
    var architecture = try TrainingStepTests.tinyNetwork().architecture
    architecture.anchorPlacement = placement
    let network = try RetinaNet(architecture, classCount: 3, seed: 5)
    for entry in network.parameters.entries where entry.declaration.path.hasPrefix("heads/") && entry.declaration.path.hasSuffix("kernel") {
      for i in entry.range { network.parameters.values[i] *= 50 }
    }
    network.parameters.markChanged()
    return DetectionRunner(network: network, classNames: Mixed().classNames, configuration: configuration, thresholds: [0.3, 0.3, 0.3])
  }

  /// Up to the rounding of kernels that oneDNN makes for other batch sizes.
  @Test(arguments: [AnchorPlacement(), AnchorPlacement(strides: .imageOverGrid)])
  func averagePrecisionIsTheSameForAllBatchSizes(placement: AnchorPlacement) throws {
    let runner = try runner(placement)
    let results = try [1, 2, 3, 8].map { try runner.evaluate(Mixed(), batchSize: $0) }
    for result in results.dropFirst() {
      #expect(abs(result.ap - results[0].ap) < 1e-6 && abs(result.ar100 - results[0].ar100) < 1e-6)
    }
  }

  @Test func imagesAreDetectedAsIfAlone() throws {
    let runner = try runner()
    let images = (0..<Mixed().count).map { Mixed().sample(at: $0).image }
    let alone = try images.map { try runner.detect([$0])[0] }
    let together = try runner.detect(images)
    #expect(alone.contains { !$0.isEmpty })
    for (alone, together) in zip(alone, together) {
      #expect(alone.count == together.count)
      for (a, b) in zip(alone, together) { #expect(a.classIndex == b.classIndex && abs(a.score - b.score) < 1e-5 && abs(a.box.x1 - b.box.x1) < 1e-3) }
    }
  }

  @Test func progressCountsAllImages() throws {
    var done: [Int] = []
    _ = try runner().evaluate(Mixed(), batchSize: 2) { done.append($0) }
    #expect(done == done.sorted() && done.last == Mixed().count)
  }
}
