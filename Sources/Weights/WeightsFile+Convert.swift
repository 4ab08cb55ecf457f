import Configuration
import HDF5
import NeuralNetwork

extension WeightsFile {
  /// Layouts that weights are written in.
  public enum Target: String, CaseIterable, Hashable, Sendable { case native, torchvision, keras }

  /// What a conversion cannot take along: settings that the target's models have otherwise.
  public static func differences(of weights: ModelWeights, from target: Target) throws -> [Convention.Difference] {
    guard target != .native, !weights.metadata.configuration.isEmpty else { return [] }
    let configuration = try ExperimentConfiguration(yaml: weights.metadata.configuration, name: "the weights' configuration")
    var convention = try ForeignLayout(weights, target).convention
    // Its layers of zeros are listed in the file.
    if convention.name == Convention.kerasResNet50.name {
      convention.detector.backbone.stemPadding = configuration.detector.backbone.stemPadding
      if configuration.detector.backbone.poolPadding == .symmetric { convention.detector.backbone.poolPadding = .symmetric }
    }
    return convention.differences(from: configuration, wholeDetector: weights.metadata.detector != WeightsMetadata.backbone)
  }

  /// Writes weights for another framework.
  ///
  /// - `keras`: `keras.applications`' names for a backbone, keras-retinanet's for a detector and for what
  ///   `keras.applications` does not have, in the legacy layout; in Keras 3's where the path ends in `.weights.h5`.
  /// - `torchvision`: a dataset a key of the state dictionary.
  /// - Throws: `HDF5Error`, or `ConventionError` for a parameter that the target has no name for.
  public static func write(_ weights: ModelWeights, to path: String, as target: Target) throws {
    guard target != .native else { return try write(weights, to: path) }
    let layout = try ForeignLayout(weights, target)
    try HDF5File.writeAtomically(to: path, compatible: true) { file in
      switch target {
      case .native: break
      case .torchvision: try layout.writeStateDictionary(in: file.root)
      case .keras where path.hasSuffix(".weights.h5"): try layout.writeKerasNumbered(in: file.root)
      case .keras: try layout.writeKerasLegacy(in: file.root)
      }
    }
  }
}

/// A model's parameters under another framework's names.
private struct ForeignLayout {
  let weights: ModelWeights
  let plan: DetectorPlan
  let naming: any ParameterNaming
  let convention: Convention

  /// - Throws: `ConventionError` where parameters have no name there.
  init(_ weights: ModelWeights, _ target: WeightsFile.Target) throws {
    let native = NativeNaming()
    guard let plan = DetectorPlan.inferred(from: weights.tensors.mapValues(\.shape), native)?.plan else {
      throw ConventionError("no ResNet among the parameters, so there are no names for them elsewhere")
    }
    self.weights = weights
    self.plan = plan
    switch target {
    case .keras:
      let own = [Convention.kerasResNet50, .kerasRetinaNet, .kerasRetinaNetZeroPadded].first { $0.name == weights.metadata.convention }
      if own == nil, plan.detector == nil, plan.usesBottlenecks {
        (convention, naming) = (.kerasApplications, KerasApplicationsNaming())
      } else {
        (convention, naming) = (own ?? .kerasRetinaNet, KerasRetinaNetNaming())
      }
    case .native, .torchvision:
      convention = .torchvision
      naming = TorchvisionNaming(
        backbone: plan.detector == nil ? "" : TorchvisionNaming.detectorBackbone, style: .nested,
        lowestLevel: plan.detector?.levels.lowerBound ?? 3)
    }
    var unnamed = Set(weights.tensors.keys)
    for layer in plan.layers {
      for parameter in ModelParameter.possible(in: layer) {
        guard let path = native.name(of: parameter, in: layer, of: plan) else { continue }
        if naming.name(of: parameter, in: layer, of: plan) != nil { unnamed.remove(path) }
      }
    }
    guard unnamed.isEmpty else {
      throw ConventionError(
        "\(convention.name) has no name for \(unnamed.sorted().prefix(5).joined(separator: ", "))"
          + (unnamed.count > 5 ? " and \(unnamed.count - 5) others" : ""))
    }
  }

  private struct Entry {
    let parameter: ModelParameter
    let name: String
    let shape: [Int]
    let values: [Float]
  }

  /// A layer's parameters as they are stored there.
  private func entries(of layer: ModelLayer) -> [Entry] {
    ModelParameter.possible(in: layer).compactMap { parameter in
      guard let name = naming.name(of: parameter, in: layer, of: plan),
        let path = NativeNaming().name(of: parameter, in: layer, of: plan), let tensor = weights.tensors[path]
      else { return nil }
      let layout = naming.layout(of: parameter, in: layer)
      return Entry(
        parameter: parameter, name: name, shape: layout.storedShape(tensor.shape),
        values: layout.storedValues(tensor.values, shape: tensor.shape))
    }
  }

  func writeStateDictionary(in root: HDF5NewGroup) throws {
    for layer in plan.layers {
      for entry in entries(of: layer) { try root.createDataset(entry.name, shape: entry.shape, values: entry.values) }
    }
    if !weights.metadata.classNames.isEmpty {
      try root.setAttribute(StateDictionary.Attribute.classNames, .strings(weights.metadata.classNames))
    }
    guard !weights.metadata.configuration.isEmpty else { return }
    let configuration = try ExperimentConfiguration(yaml: weights.metadata.configuration, name: "the weights' configuration")
    try root.setAttribute(StateDictionary.Attribute.epsilon, .float(Double(configuration.detector.backbone.epsilon)))
  }

  // MARK: Keras

  private var kerasLayers: [(layer: ModelLayer, name: String, model: String?)] {
    guard let naming = naming as? any KerasNaming else { return [] }
    return naming.ordered(plan).compactMap { layer in
      naming.layer(layer, of: plan).map { (layer, $0, naming.model(of: layer)) }
    }
  }

  /// A group a layer, an inner model being one layer, with lists of names in attributes.
  func writeKerasLegacy(in root: HDF5NewGroup) throws {
    var groups: [(name: String, entries: [(name: String, Entry)])] = []
    if convention == .kerasRetinaNetZeroPadded { groups.append((KerasRetinaNetNaming.stemZeros, [])) }
    let backbone = try weights.configuration?.detector.backbone
    if convention == .kerasResNet50, backbone?.stemPadding == .symmetric { groups.append(("conv1_pad", [])) }
    for (layer, name, model) in kerasLayers {
      if convention == .kerasResNet50, layer == .blockConvolution(stage: 1, block: 1, index: 1), backbone?.poolPadding == .symmetric {
        groups.append(("pool1_pad", []))
      }
      if groups.last?.name != model ?? name { groups.append((model ?? name, [])) }
      groups[groups.count - 1].entries += entries(of: layer).map { ("\(name)/\($0.parameter.rawValue):0", $0) }
    }
    try root.setAttribute("backend", .string("tensorflow"))
    try root.setAttribute("keras_version", .string("2.15.0"))
    try root.setNames("layer_names", groups.map(\.name))
    for (name, entries) in groups {
      let group = try root.createGroup(name)
      try group.setNames("weight_names", entries.map(\.name))
      for (name, entry) in entries { try group.createDataset(name, shape: entry.shape, values: entry.values) }
    }
  }

  /// Layers numbered class by class, parameters numbered in each.
  func writeKerasNumbered(in root: HDF5NewGroup) throws {
    guard convention == .kerasApplications else {
      throw ConventionError("keras-retinanet is older than Keras 3: write a file that ends in .h5, not in .weights.h5")
    }
    var counts: [String: Int] = [:]
    for (layer, name, _) in kerasLayers {
      let folder = layer.isNormalization ? "batch_normalization" : "conv2d"
      let count = counts[folder, default: 0]
      counts[folder] = count + 1
      let group = try root.createGroup("layers/\(folder)\(count == 0 ? "" : "_\(count)")/vars")
      try group.setAttribute("name", .string(name))
      for (index, entry) in entries(of: layer).enumerated() {
        try group.createDataset("\(index)", shape: entry.shape, values: entry.values)
      }
    }
  }
}

extension ModelWeights {
  /// What was saved with them; nil where nothing was.
  fileprivate var configuration: ExperimentConfiguration? {
    get throws {
      metadata.configuration.isEmpty
        ? nil : try ExperimentConfiguration(yaml: metadata.configuration, name: "the weights' configuration")
    }
  }
}

extension HDF5NewGroup {
  /// Keras splits a list that is longer than an object's header over several attributes.
  fileprivate func setNames(_ attribute: String, _ names: [String]) throws {
    let longest = max(1, names.map(\.utf8.count).max() ?? 1)
    let limit = 64_000 / longest
    if names.count <= limit { return try setAttribute(attribute, .strings(names)) }
    for (part, start) in stride(from: 0, to: names.count, by: limit).enumerated() {
      try setAttribute("\(attribute)\(part)", .strings(Array(names[start..<min(names.count, start + limit)])))
    }
  }
}
