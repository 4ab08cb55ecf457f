import Foundation
import Testing

import DetectionCore
import HDF5
import NeuralNetwork
import TestSupport
import Weights

@Suite struct WeightsFileTests {
  static let statistics = TrainingStatistics(anchorCount: 12_345_678_901, foregroundCounts: [0, 7, 1_000_000], imageCount: 42)

  static func weights(statistics: TrainingStatistics? = statistics) -> ModelWeights {
    ModelWeights(
      tensors: [
        "backbone/stem/conv/kernel": Tensor(shape: [2, 3, 1, 1], values: [0, -0.0, .leastNonzeroMagnitude, .pi, -3e38, 5e-7]),
        "backbone/stem/norm/gamma": Tensor(shape: [2], values: [1, 0.1]),
        "heads/logits/bias": Tensor(shape: [1], values: [-11.3]),
        // A layer whose name begins like another's, and a name that needs care.
        "backbone/stem/conv2/kernel": Tensor(shape: [1, 1, 1, 1], values: [2]),
        "heads/größe/bias": Tensor(shape: [3], values: [1, 2, 3]),
      ],
      metadata: WeightsMetadata(
        detector: "retinanet", configuration: "seed: 1\n# Grüße, \"quoted\"\n", classNames: ["0", "traffic light", "犬"],
        statistics: statistics))
  }

  static func checkpoint() -> Checkpoint {
    Checkpoint(
      weights: weights(), optimizer: weights().tensors.filter { !$0.key.hasSuffix("gamma") },
      training: ["step": [123_456_789], "sampler/histogram": [0.1, .infinity, -1e300], "lossScaler/last": []])
  }

  @Test(arguments: [statistics, nil]) func weightsComeBackAsTheyWere(statistics: TrainingStatistics?) throws {
    let directory = try TemporaryDirectory()
    let (path, weights) = (directory.file("w.h5"), Self.weights(statistics: statistics))
    try WeightsFile.write(weights, to: path)
    let read = try WeightsFile.read(path)
    #expect(read == weights)
    #expect(read.parameterCount == 13)
    #expect(read.tensors["backbone/stem/conv/kernel"]?.values[1].sign == .minus)
    #expect(try directory.names == ["w.h5"])
  }

  @Test func valuesThatAreNoNumbersComeBackBitByBit() throws {
    let directory = try TemporaryDirectory()
    var weights = Self.weights()
    let values: [Float] = [.nan, .infinity, -.infinity, Float(bitPattern: 0x7fc0_0123)]
    weights.tensors = ["a/kernel": Tensor(shape: [4], values: values)]
    try WeightsFile.write(weights, to: directory.file("w.h5"))
    #expect(weights.firstNotFinite == "a/kernel" && Self.weights().firstNotFinite == nil)
    let read = try WeightsFile.read(directory.file("w.h5")).tensors["a/kernel"]?.values
    #expect(read?.map(\.bitPattern) == values.map(\.bitPattern))
  }

  @Test func compressionChangesTheFileAndNotTheValues() throws {
    let directory = try TemporaryDirectory()
    var weights = Self.weights()
    weights.tensors["big/kernel"] = Tensor(shape: [64, 64, 3, 3], repeating: 0.25)
    try WeightsFile.write(weights, to: directory.file("plain.h5"))
    try WeightsFile.write(weights, to: directory.file("packed.h5"), deflate: 6)
    #expect(try WeightsFile.read(directory.file("packed.h5")) == weights)
    #expect(try bytes(of: directory.file("packed.h5")).count < bytes(of: directory.file("plain.h5")).count / 2)
  }

  @Test func equalWeightsAreEqualBytes() throws {
    let directory = try TemporaryDirectory()
    for name in ["a", "b"] {
      try WeightsFile.write(Self.weights(), to: directory.file("\(name).h5"))
      try WeightsFile.write(Self.checkpoint(), to: directory.file("\(name)-checkpoint.h5"))
    }
    #expect(try bytes(of: directory.file("a.h5")) == bytes(of: directory.file("b.h5")))
    #expect(try bytes(of: directory.file("a-checkpoint.h5")) == bytes(of: directory.file("b-checkpoint.h5")))
  }

  @Test func checkpointsComeBackAndServeAsWeights() throws {
    let directory = try TemporaryDirectory()
    let (path, checkpoint) = (directory.file("c.h5"), Self.checkpoint())
    try WeightsFile.write(checkpoint, to: path)
    #expect(try WeightsFile.readCheckpoint(path) == checkpoint)
    #expect(try WeightsFile.read(path) == checkpoint.weights)
  }

  @Test func aFileOfWeightsIsNoCheckpoint() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("w.h5")
    try WeightsFile.write(Self.weights(), to: path)
    let error = try thrown(HDF5Error.self) { try WeightsFile.readCheckpoint(path) }
    #expect(error.description.contains(path) && error.description.contains("training"), "\(error)")
  }

  @Test func whatIsNoWeightsFileIsNamed() throws {
    let directory = try TemporaryDirectory()
    let text = try directory.write("hello, I am a text\n", to: "text.h5")
    let empty = try directory.write("", to: "empty.h5")
    for path in [text, empty, directory.file("absent.h5"), directory.path] {
      let error = try thrown(HDF5Error.self) { try WeightsFile.read(path) }
      #expect(error.description.contains(path), "\(error)")
    }
    let other = directory.file("other.h5")
    try HDF5File.writeAtomically(to: other) { file in _ = try file.root.createGroup("model") }
    let error = try thrown(ConventionError.self) { try WeightsFile.read(other) }
    #expect("\(error)".contains(other) && "\(error)".contains("unknown layout"), "\(error)")
  }

  @Test func filesCutShortAreErrors() throws {
    let directory = try TemporaryDirectory()
    try WeightsFile.write(Self.checkpoint(), to: directory.file("c.h5"))
    let whole = try bytes(of: directory.file("c.h5"))
    for share in [0.01, 0.3, 0.6, 0.9, 0.999] {
      let path = directory.file("cut.h5")
      try whole.prefix(Int(Double(whole.count) * share)).write(to: URL(fileURLWithPath: path))
      #expect(throws: HDF5Error.self, "\(share)") { try WeightsFile.readCheckpoint(path) }
    }
  }

  /// Metadata that contradicts itself.
  @Test(arguments: [
    ("format_version", HDF5Value.integer(99)), ("format_version", .integer(0)), ("format_version", .string("one")),
    ("statistics_anchor_count", .integer(-1)), ("statistics_image_count", .integer(-1)),
    ("statistics_foreground_counts", .integers([1, 2])), ("statistics_foreground_counts", .integers([1, -1, 0])),
    ("statistics_foreground_counts", .integers([Int.max, Int.max, 5])), ("class_names", .integer(3)),
  ]) func metadataIsChecked(attribute: String, value: HDF5Value) throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("w.h5")
    try HDF5File.writeAtomically(to: path) { file in
      let root = try file.root
      let attributes: [String: HDF5Value] = [
        "format_version": .integer(1), "detector": .string("retinanet"), "configuration": .string(""),
        "class_names": .strings(["a", "b", "c"]), "convention": .string("native"), "statistics_anchor_count": .integer(100),
        "statistics_image_count": .integer(1), "statistics_foreground_counts": .integers([1, 2, 3]),
      ]
      for (name, good) in attributes { try root.setAttribute(name, name == attribute ? value : good) }
      _ = try root.createGroup("model")
    }
    let error = try thrown(HDF5Error.self) { try WeightsFile.read(path) }
    #expect(error.description.contains(path) && error.description.contains(attribute), "\(error)")
  }

  @Test func aFailedWriteLeavesTheOldFile() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("w.h5")
    try WeightsFile.write(Self.weights(), to: path)
    let before = try bytes(of: path)
    var broken = Self.weights()
    broken.tensors["backbone/stem/conv/kernel/inside"] = Tensor(shape: [1], values: [1])
    #expect(throws: HDF5Error.self) { try WeightsFile.write(broken, to: path) }
    #expect(try bytes(of: path) == before)
    #expect(try directory.names == ["w.h5"])
    #expect(throws: HDF5Error.self) { try WeightsFile.write(Self.weights(), to: directory.file("no/such/folder/w.h5")) }
  }

  @Test func theSummaryShowsWhatAFileHolds() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("c.h5")
    try WeightsFile.write(Self.checkpoint(), to: path)
    let summary = try WeightsFile.summary(path)
    for part in [path, "convention: native", "parameters: 13 (in /model)", "kernel  2 x 3 x 1 x 1", "@class_names", "step"] {
      #expect(summary.contains(part), "\(part)")
    }
    #expect(throws: HDF5Error.self) { try WeightsFile.summary(directory.file("absent.h5")) }
  }
}
