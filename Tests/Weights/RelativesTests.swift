import Foundation
import HDF5
import NeuralNetwork
import SamplingFree
import TestSupport
import Testing
import Weights

/// Networks that are called like a plain ResNet and compute something else: refused, with what makes them another.
@Suite struct RelativesTests {
  let directory = try! TemporaryDirectory()

  /// A narrow ResNet-50 as torchvision's state dictionary.
  private func plain() throws -> String {
    var configuration = ExperimentConfiguration()
    configuration.detector.backbone.width = 4
    let backbone = try Backbone(configuration.architecture.backbone, seed: 3)
    let tensors = try backbone.parameters.shapes.keys.map { ($0, try backbone.parameters.tensor($0)) }
    let weights = ModelWeights(
      tensors: Dictionary(uniqueKeysWithValues: tensors),
      metadata: WeightsMetadata(detector: WeightsMetadata.backbone, configuration: configuration.yaml, classNames: [], convention: "torchvision"))
    try WeightsFile.write(weights, to: directory.file("plain"), as: .torchvision)
    return directory.file("plain")
  }

  private func complaint(_ path: String) throws -> String {
    let error = try thrown(ConventionError.self) { try WeightsFile.read(path) }
    #expect(error.description.hasPrefix("\(path): "))
    let summary = try WeightsFile.summary(path)
    #expect(summary.contains("convention: unknown\nmodel: none that is read: \(error.description.dropFirst(path.count + 2))"), "\(summary.prefix(500))")
    return error.description
  }

  /// The first so many of a kernel's inputs, or all of them twice.
  private static func inputs(_ tensor: FileCopy.Values, factor: Double) -> FileCopy.Values {
    var shape = tensor.shape
    shape[1] = Int(Double(shape[1]) * factor)
    return (shape, [Float](repeating: 0.1, count: shape.reduce(1, *)))
  }

  private static func outputs(_ tensor: FileCopy.Values, factor: Int) -> FileCopy.Values {
    var shape = tensor.shape
    shape[0] *= factor
    return (shape, [Float](repeating: 0.1, count: shape.reduce(1, *)))
  }

  private static func isBlocks(_ path: String, _ parts: String...) -> Bool { path.hasPrefix("layer") && parts.contains { path.contains($0) } }

  @Test func groupedConvolutions() throws {
    var copy = FileCopy()
    copy.values = { path, tensor in Self.isBlocks(path, ".conv2.") ? Self.inputs(tensor, factor: 0.5) : tensor }
    try copy.write(plain(), to: directory.file("grouped"))
    let text = try complaint(directory.file("grouped"))
    #expect(text.contains("layer1.0.conv2.weight has the shape [4, 2, 3, 3] where ResNet-50 of 4 channels has [4, 4, 3, 3]"), "\(text)")
    #expect(text.contains("its convolutions are grouped (2 groups)"), "\(text)")
  }

  @Test(arguments: [1, 4]) func widerBlocks(groups: Int) throws {
    var copy = FileCopy()
    copy.values = { path, tensor in
      if Self.isBlocks(path, ".conv1.", ".bn1.", ".bn2.") { return Self.outputs(tensor, factor: 2) }
      if Self.isBlocks(path, ".conv2.") { return Self.inputs(Self.outputs(tensor, factor: 2), factor: 2 / Double(groups)) }
      return Self.isBlocks(path, ".conv3.") ? Self.inputs(tensor, factor: 2) : tensor
    }
    try copy.write(plain(), to: directory.file("wide"))
    let text = try complaint(directory.file("wide"))
    #expect(text.contains("its blocks are 2 times as wide") && text.contains("grouped (4 groups)") == (groups == 4), "\(text)")
  }

  @Test(arguments: [
    ("layer1.0.se.fc1.weight", "layer1.0.se.fc1.weight"), ("layer3.2.conv4.weight", "layer3.2.conv4.weight"),
    ("bn2.weight", "bn2.weight"), ("stem.0.weight", "stem.0.weight"), ("layer2.0.conv1.bias", "layer2.0.conv1.bias"),
  ]) func parametersBesides(name: String, named: String) throws {
    var copy = FileCopy()
    copy.extra = [name: ([4], [1, 1, 1, 1]), "fc.weight": ([4, 4], [Float](repeating: 0, count: 16))]
    try copy.write(plain(), to: directory.file("more"))
    let text = try complaint(directory.file("more"))
    #expect(text.contains("it has \"\(named)\", which this package does not compute") && !text.contains("fc.weight"), "\(text)")
  }

  /// What lies behind a backbone is left over, whatever it is.
  @Test func aClassifierIsNoPartOfABackbone() throws {
    var copy = FileCopy()
    let extra: FileCopy.Values = ([4], [1, 1, 1, 1])
    copy.extra = ["fc.weight": extra, "classifier.0.weight": extra, "head.layers.conv.weight": extra, "bn1.num_batches_tracked": ([1], [7])]
    try copy.write(plain(), to: directory.file("classifier"))
    #expect(try WeightsFile.read(directory.file("classifier")).leftovers == ["classifier.0.weight", "fc.weight", "head.layers.conv.weight"])
  }

  /// ResNet-D has three convolutions for a stem, ResNets with group normalisation no statistics, version 2 other norms.
  @Test(arguments: [
    ("conv1.weight", "conv1.0.weight", "it lacks \"conv1.weight\"; it has \"conv1.0.weight\", which this package does not compute"),
    ("layer2.0.downsample.0.weight", "layer2.0.downsample.2.weight", "it lacks \"layer2.0.downsample.0.weight\""),
    ("layer1.0.bn1.running_var", nil, "it lacks \"layer1.0.bn1.running_var\""),
    ("layer4.2.bn3.weight", nil, "it lacks \"layer4.2.bn3.weight\""),
  ]) func parametersElsewhere(name: String, renamed: String?, expected: String) throws {
    var copy = FileCopy()
    copy.name = { $0 == name ? renamed : $0 }
    try copy.write(plain(), to: directory.file("other"))
    let text = try complaint(directory.file("other"))
    #expect(text.contains(expected), "\(text)")
  }

  @Test(arguments: ["module.", "model.", "net.", "encoder.", "backbone.", "backbone.body.", "student.backbone.module."])
  func modelsInsideOthersAreRead(prefix: String) throws {
    let path = try plain()
    var copy = FileCopy()
    copy.name = { prefix + $0 }
    copy.extra = ["\(prefix)fc.weight": ([2], [1, 2]), "head.weight": ([2], [1, 2])]
    try copy.write(path, to: directory.file("inside"))
    let read = try WeightsFile.read(directory.file("inside"))
    #expect(try read.tensors == WeightsFile.read(path).tensors)
    #expect(read.leftovers == ["\(prefix)fc.weight", "head.weight"].sorted())
  }

  @Test func detectorsInsideOthersAreRead() throws {
    let golden = try Golden.file("torchvision.h5", in: directory)
    var copy = FileCopy()
    copy.name = { "model.\($0)" }
    try copy.write(golden, to: directory.file("inside"))
    let read = try WeightsFile.read(directory.file("inside"))
    #expect(try read.tensors == WeightsFile.read(golden).tensors && read.metadata.classNames == ["background", "cat", "dog"])
    // A head with one output more is not RetinaNet's.
    copy.extra = ["model.head.regression_head.bbox_ctrness.weight": ([1], [1])]
    try copy.write(golden, to: directory.file("centered"))
    #expect(try complaint(directory.file("centered")).contains("it has \"model.head.regression_head.bbox_ctrness.weight\""))
  }

  @Test func oneOfTwoBackbonesIsNotChosen() throws {
    let path = try plain()
    let root = try HDF5File(reading: path).root
    var copy = FileCopy()
    copy.name = { "student.\($0)" }
    for name in try root.names {
      let dataset = try root.dataset(name)
      copy.extra["teacher.\(name)"] = (dataset.shape, try dataset.read())
    }
    try copy.write(path, to: directory.file("two"))
    #expect(try complaint(directory.file("two")).contains("several ResNets, of the prefixes \"student.\", \"teacher.\""))
  }

  /// A class count that no memory holds is found out by shapes, before names are made for classes.
  @Test(arguments: [9 << 40, 9 * 300_000_000]) func classCountsAreMatchedWithShapes(outputs: Int) throws {
    var copy = FileCopy()
    copy.values = { $0 == "head.classification_head.cls_logits.weight" ? ([outputs, 0, 1, 1], []) : $1 }
    copy.attribute = { $1 == "class_names" ? nil : $2 }
    try copy.write(try Golden.file("torchvision.h5", in: directory), to: directory.file("classes"))
    let text = try complaint(directory.file("classes"))
    #expect(text.contains("cls_logits.weight has the shape [\(outputs), 0, 1, 1]"), "\(text)")
  }
}
