import HDF5

/// Keras' HDF5 files: parameters as "layer/parameter", whatever the version that saved them.
enum KerasFile {
  /// The legacy layout: a group a layer, listed in attributes; for a whole model below "model_weights".
  static func isLegacy(_ root: HDF5Group) -> Bool { legacyGroup(root) != nil }

  private static func legacyGroup(_ root: HDF5Group) -> HDF5Group? {
    for group in [try? root.group("model_weights"), root] {
      if let group, group.hasAttribute("layer_names") || group.hasAttribute("layer_names0") { return group }
    }
    return nil
  }

  /// Keras 3's layout: a group "vars" a layer, in which parameters are numbered.
  static func isNumbered(_ root: HDF5Group) -> Bool {
    root.contains("layers") || root.contains("_layer_checkpoint_dependencies")
  }

  /// What saved a legacy file, as it says.
  static func version(_ root: HDF5Group) -> String? {
    try? (legacyGroup(root) ?? root).string("keras_version")
  }

  // MARK: Legacy

  /// Whether a legacy file lists a layer, be it one without parameters.
  static func hasLayer(_ name: String, in root: HDF5Group) -> Bool {
    legacyGroup(root).flatMap { try? names("layer_names", of: $0) }?.contains(name) == true
  }

  /// - Throws: `HDF5Error` naming the layer whose group or dataset is missing.
  static func legacyDatasets(_ root: HDF5Group) throws -> [String: HDF5Dataset] {
    guard let group = legacyGroup(root) else { return [:] }
    var datasets: [String: HDF5Dataset] = [:]
    for layer in try names("layer_names", of: group) {
      let layerGroup = try group.group(layer)
      let weights = try names("weight_names", of: layerGroup)
      let count = Dictionary(grouping: weights) { self.layer(of: $0, in: layer) }.mapValues(\.count)
      var positions: [String: Int] = [:]
      for weight in weights {
        let name = self.layer(of: weight, in: layer)
        let position = positions[name, default: 0]
        positions[name] = position + 1
        let known = parameter(named: weight) ?? numbered(position, of: count[name] ?? 1)
        datasets["\(name)/\(known)"] = try layerGroup.dataset(weight)
      }
    }
    return datasets
  }

  /// A list that Keras splits over several attributes where it is longer than an object's header.
  private static func names(_ attribute: String, of group: HDF5Group) throws -> [String] {
    if !group.hasAttribute("\(attribute)0") {
      let value = try group.attribute(attribute)
      if case .floats([], _) = value { return [] }  // numpy's empty list
      return try group.strings(attribute)
    }
    var names: [String] = []
    for part in 0... {
      guard group.hasAttribute("\(attribute)\(part)") else { break }
      names += try group.strings("\(attribute)\(part)")
    }
    return names
  }

  /// "outer/conv1/kernel:0" is of layer conv1; a name without a folder is of the layer whose group lists it.
  private static func layer(of weight: String, in layer: String) -> String {
    weight.split(separator: "/").dropLast().last.map(String.init) ?? layer
  }

  private static func parameter(named weight: String) -> String? {
    guard let last = weight.split(separator: "/").last?.split(separator: ":").first else { return nil }
    return ModelParameter(rawValue: String(last))?.rawValue
  }

  /// Keras' order within a layer.
  private static func numbered(_ position: Int, of count: Int) -> String {
    let parameters: [ModelParameter] = count == 4 ? [.gamma, .beta, .movingMean, .movingVariance] : [.kernel, .bias]
    return position < parameters.count ? parameters[position].rawValue : "\(position)"
  }

  // MARK: Numbered

  /// - Parameter layerNames: names by path, for files of Keras before 3.5, which do not repeat them: from an archive's
  ///   configuration.
  /// - Throws: `HDF5Error` for damage.
  static func numberedDatasets(_ root: HDF5Group, layerNames: [String: String] = [:]) throws -> [String: HDF5Dataset] {
    var layers: [String: [HDF5Dataset]] = [:]
    var names: [String: String] = [:]
    try root.walk { node in
      switch node {
      case .group(let group) where group.hasAttribute("name"): names[group.path] = try group.string("name")
      case .dataset(let dataset):
        let folder = dataset.path.split(separator: "/").dropLast().joined(separator: "/")
        // The optimiser's state is nobody's weights.
        if folder.hasSuffix("/vars"), !folder.hasPrefix("optimizer/") { layers["/\(folder)", default: []].append(dataset) }
      default: break
      }
    }
    var datasets: [String: HDF5Dataset] = [:]
    for (path, parameters) in layers {
      let place = String(path.dropFirst().dropLast("/vars".count))
      let layer = names[path] ?? layerNames[place] ?? place
      for dataset in parameters {
        let last = dataset.path.split(separator: "/").last.map(String.init) ?? ""
        datasets["\(layer)/\(Int(last).map { numbered($0, of: parameters.count) } ?? last)"] = dataset
      }
    }
    return datasets
  }

  /// Names for a file that has none: the layers of each class are numbered in the order of `model.layers`, which is known
  /// for `keras.applications`' ResNets.
  static func namedByOrder(_ datasets: [String: HDF5Dataset]) -> [String: HDF5Dataset] {
    let naming = KerasApplicationsNaming()
    let convolutions = datasets.keys.count { $0.hasPrefix("layers/conv2d") && $0.hasSuffix("/kernel") }
    for depth in [50, 101, 152] {
      let plan = DetectorPlan(depth: depth)
      let layers = naming.ordered(plan)
      guard layers.count(where: { !$0.isNormalization }) == convolutions else { continue }
      var named = datasets
      for (folder, isNormalization) in [("layers/conv2d", false), ("layers/batch_normalization", true)] {
        for (index, layer) in layers.filter({ $0.isNormalization == isNormalization }).enumerated() {
          guard let name = naming.layer(layer, of: plan) else { continue }
          for parameter in ModelParameter.possible(in: layer) {
            let numbered = "\(folder)\(index == 0 ? "" : "_\(index)")/\(parameter.rawValue)"
            if let dataset = named.removeValue(forKey: numbered) { named["\(name)/\(parameter.rawValue)"] = dataset }
          }
        }
      }
      return named
    }
    return datasets
  }
}
