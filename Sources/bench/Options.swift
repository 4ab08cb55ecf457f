import ArgumentParser
import Foundation
import SamplingFree

/// The detector and the batch that all works share.
struct BatchOptions: ParsableArguments {
  @Option(help: "Weights file; without it the detector starts from its initialisers.") var weights: String?
  @Option(help: "Images.") var images = 1
  @Option(help: "Pixels.") var height = 640
  @Option(help: "Pixels.") var width = 640
  @Option(help: "fp32 or bf16.") var precision = "fp32"
  @Option(help: "Classes.") var classes = 91

  /// RetinaNet ResNet-50-FPN as configurations have it by default.
  func network() throws -> RetinaNet {
    let network = try RetinaNet(ExperimentConfiguration().architecture, classCount: classes, seed: weights == nil ? 1 : nil)
    guard let precision = Precision(rawValue: precision), precision.isSupported else {
      throw ValidationError("--precision: fp32, or bf16 where the machine has it, not \(precision)")
    }
    network.precision = precision
    guard let weights else { return network }
    let match = try WeightsFile.read(weights).match(expected: network.expectedShapes)
    for (path, tensor) in match.tensors { try network.parameters.set(path, to: tensor) }
    return network
  }

  /// Noise images with boxes of sides from a sixteenth to a half of theirs. `scripts/benchmarks/work.py` makes the same.
  func batch(objects: Int = 8) -> Batch {
    let samples = (0..<images).map { id in
      let pixels = (0..<height * width * 3).map { i in
        UInt8(truncatingIfNeeded: (UInt32(truncatingIfNeeded: i + 1 + id) &* 2_654_435_761) >> 24)
      }
      let annotations = (0..<objects).map { i in
        let side = Float(1 + (i + id) % 8) / 16
        let (x, y) = (Float((i * 5 + id * 3) % 8) / 16, Float((i * 3 + id) % 8) / 16)
        let (w, h) = (Float(width), Float(height))
        return Annotation(box: Box(x: x * w, y: y * h, width: side * w, height: side * h), classIndex: (i * 7 + id) % classes)
      }
      return Sample(id: id, image: Image(width: width, height: height, pixels: pixels), annotations: annotations)
    }
    let options = InputOptions(size: .fixed(width: width, height: height), flipProbability: 0)
    var generator = SeededGenerator(seed: 0)
    return Batch(samples: samples, options: options, generator: &generator)
  }
}
