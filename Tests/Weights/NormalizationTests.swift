import Configuration
import Datasets
import HDF5
import NeuralNetwork
import SamplingFree
import TestSupport
import Testing
import Weights

/// Normalisations that divide by nothing, and networks whose results are no numbers.
@Suite struct NormalizationTests {
  let directory = try! TemporaryDirectory()

  init() { useThreads(1) }

  /// torchvision's golden with a layer's values changed.
  private func changed(
    _ edits: [String: (inout [Float]) -> Void], epsilon: Double = 1e-5
  ) throws -> String {
    var copy = FileCopy()
    copy.values = { path, tensor in
      var tensor = tensor
      edits.first { path.hasSuffix($0.key) }?.value(&tensor.values)
      return tensor
    }
    copy.attribute = { $1 == "batch_norm_epsilon" ? .float(epsilon) : $2 }
    let path = directory.file("changed")
    try copy.write(try Golden.file("torchvision.h5", in: directory), to: path)
    return path
  }

  private static let variance = "backbone.body.layer2.0.bn1.running_var"

  @Test(arguments: [
    (-1, 1e-5, "channel 0 is -1.0"), (-1e-6, 1e-5, "channel 0 is -1e-06"), (0, 0, "channel 0 is 0 and epsilon as well"),
    (.nan, 1e-5, "channel 0 is nan"),
  ] as [(Float, Double, String)])
  func variancesAreChecked(value: Float, epsilon: Double, expected: String) throws {
    let path = try changed([Self.variance: { $0[0] = value }], epsilon: epsilon)
    let error = try thrown(ConventionError.self) { try WeightsFile.read(path) }
    #expect(error.description.hasPrefix("\(path): \(Self.variance): ") && error.description.contains(expected), "\(error)")
  }

  @Test func aLayerThatNeverVariedIsDamage() throws {
    let path = try changed([Self.variance: { $0 = $0.map { _ in 0 } }])
    let error = try thrown(ConventionError.self) { try WeightsFile.read(path) }
    #expect(error.description.contains("\(Self.variance): all 4 variances are 0"), "\(error)")
  }

  /// Channels that a trained network does not use are read: frameworks compute with them, too.
  @Test func aChannelThatNeverVariedIsRead() throws {
    let weights = try WeightsFile.read(changed([Self.variance: { $0[1] = 0 }]))
    let notes = try NormalizationCheck.check(weights.tensors, epsilon: 1e-5)
    #expect(notes == ["backbone/stage2/block1/norm1/moving_variance: 1 of 4 variances are 0"])
    let runner = try DetectionRunner(weights: weights, registry: .standard)
    #expect(try runner.detect([Image(width: 64, height: 64)]).count == 1)
  }

  @Test func scalesThatOverflowAreNamed() throws {
    let path = try changed([Self.variance: { $0[2] = 1e-38 }, "body.layer2.0.bn1.weight": { $0[2] = 1e30 }], epsilon: 0)
    let error = try thrown(ConventionError.self) { try WeightsFile.read(path) }
    #expect(error.description.contains("\(Self.variance): channel 2 is scaled by"), "\(error)")
  }

  @Test(arguments: [-1.0, .nan, 2, .infinity]) func anEpsilonThatIsNoneIsNamed(epsilon: Double) throws {
    let path = try changed([:], epsilon: epsilon)
    let error = try thrown(ConventionError.self) { try WeightsFile.read(path) }
    #expect(error.description.contains("batch_norm_epsilon is \(epsilon)"), "\(error)")
  }

  /// This package's own files are checked with their detector's epsilon.
  @Test func ownWeightsAreCheckedToo() throws {
    var weights = try WeightsFile.read(Golden.file("torchvision.h5", in: directory))
    weights.tensors["backbone/stage3/block1/norm2/moving_variance"]?.values[3] = -0.5
    try WeightsFile.write(weights, to: directory.file("native"))
    let read = try WeightsFile.read(directory.file("native"))
    let error = try thrown(ConventionError.self) { try DetectionRunner(weights: read, registry: .standard) }
    #expect(error.description.contains("backbone/stage3/block1/norm2/moving_variance: the variance of channel 3 is -0.5"), "\(error)")
  }

  @Test(arguments: [
    ("backbone/stage2/block1/conv1/kernel", "backbone/stage2"), ("pyramid/output4/kernel", "the pyramid's level 4"),
    ("heads/regression/deltas/kernel", "the heads"), ("backbone/stem/conv/kernel", "backbone/stage1"),
  ]) func resultsThatOverflowAreAnError(path: String, place: String) throws {
    var weights = try WeightsFile.read(Golden.file("torchvision.h5", in: directory))
    let tensor = try #require(weights.tensors[path])
    weights.tensors[path]?.values = tensor.values.map { $0 < 0 ? -3e38 : 3e38 }
    let runner = try DetectionRunner(weights: weights, registry: .standard)
    let pixels = HashedValues.uniform("noise", count: 64 * 96 * 3).map { UInt8(256 * $0) }
    let error = try thrown(DetectorError.self) { try runner.detect([Image(width: 96, height: 64, pixels: pixels)]) }
    #expect(error.description.contains("results are not finite, first those of \(place):"), "\(error)")
  }

  /// A tensor that a detector does not have would go unused, and make it another.
  @Test func aParameterTooManyIsNotDetectedWith() throws {
    var weights = try WeightsFile.read(Golden.file("torchvision.h5", in: directory))
    weights.tensors["backbone/stage1/block1/squeeze/kernel"] = Tensor(shape: [1], values: [1])
    let error = try thrown(DetectorError.self) { try DetectionRunner(weights: weights, registry: .standard) }
    #expect(error.description.contains("backbone/stage1/block1/squeeze/kernel: the model has no such parameter"), "\(error)")
  }
}
