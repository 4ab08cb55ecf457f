import Foundation
import HDF5

/// What a file of Keras' holds: parameters as "layer/parameter", whatever the version that saved them.
struct KerasFile {
  var datasets: [String: HDF5Dataset] = [:]
  /// All layers in the file's order, those without parameters too; empty where a file has no list of them.
  var layers: [String] = []
  /// Names that more than one dataset has.
  var ambiguous: Set<String> = []
  /// Whether parameters are called as Keras 1 calls them.
  var usesFirstNames = false
  /// What computed with the kernels, where the file says so.
  var backend: String?
  var model: KerasModel?
  /// Whether layers were told apart by their order alone.
  var namedByOrder = false

  mutating func add(_ dataset: HDF5Dataset, as name: String) {
    if datasets.updateValue(dataset, forKey: name) != nil { ambiguous.insert(name) }
  }

  /// Keras' order within a layer.
  static func numbered(_ position: Int, of count: Int) -> String {
    let parameters: [ModelParameter] = count == 4 ? [.gamma, .beta, .movingMean, .movingVariance] : [.kernel, .bias]
    return position < parameters.count ? parameters[position].rawValue : "\(position)"
  }

  /// Parts of a path, whichever system wrote it.
  static func parts(_ path: String) -> [Substring] { path.split { $0 == "/" || $0 == "\\" } }
}

/// The layout of Keras 1 and 2: a group a layer, listed in attributes; for a whole model below "model_weights".
enum KerasLegacy {
  static func isLegacy(_ root: HDF5Group) -> Bool { group(root) != nil }

  private static func group(_ root: HDF5Group) -> HDF5Group? {
    for group in [try? root.group("model_weights"), root] {
      if let group, group.hasAttribute("layer_names") || group.hasAttribute("layer_names0") { return group }
    }
    return nil
  }

  /// What saved a file, as it says.
  static func version(_ root: HDF5Group) -> String? {
    for group in [group(root), root] {
      if let version = try? group?.string("keras_version") { return version }
    }
    return nil
  }

  /// - Throws: `HDF5Error` naming the layer whose group or dataset is missing; `ConventionError` for a damaged
  ///   configuration.
  static func read(_ root: HDF5Group) throws -> KerasFile {
    var file = KerasFile()
    guard let group = group(root) else { return file }
    for layer in try names("layer_names", of: group) {
      file.layers.append(layer)
      let layerGroup = try group.group(layer)
      let weights = try names("weight_names", of: layerGroup)
      let count = Dictionary(grouping: weights) { self.layer(of: $0, in: layer) }.mapValues(\.count)
      var positions: [String: Int] = [:]
      for weight in weights {
        let name = self.layer(of: weight, in: layer)
        let position = positions[name, default: 0]
        positions[name] = position + 1
        let known = parameter(named: weight, of: name)
        if known?.isFirst == true { file.usesFirstNames = true }
        let dataset = try layerGroup.dataset(weight)
        file.add(dataset, as: "\(name)/\(known?.parameter.rawValue ?? KerasFile.numbered(position, of: count[name] ?? 1))")
      }
    }
    file.backend = try? group.string("backend")
    if root.hasAttribute("model_config") {
      file.model = try KerasModel(json: Data(root.string("model_config").utf8), of: root.file.path)
    }
    return file
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
    KerasFile.parts(weight).dropLast().last.map(String.init) ?? layer
  }

  /// Of "kernel:0" the kernel, and of Keras 1's "conv1_W_1:0" too, whose "running_std" is a variance.
  private static func parameter(named weight: String, of layer: String) -> (parameter: ModelParameter, isFirst: Bool)? {
    guard let last = KerasFile.parts(weight).last?.split(separator: ":").first else { return nil }
    if let parameter = ModelParameter(rawValue: String(last)) { return (parameter, false) }
    guard last.hasPrefix("\(layer)_") else { return nil }
    let words = last.dropFirst(layer.count + 1)
    let first: [(String, ModelParameter)] = [
      ("W", .kernel), ("b", .bias), ("gamma", .gamma), ("beta", .beta), ("running_mean", .movingMean),
      ("running_std", .movingVariance),
    ]
    // TensorFlow numbers what has been built before.
    let found = first.first { name, _ in words == name || (words.hasPrefix("\(name)_") && Int(words.dropFirst(name.count + 1)) != nil) }
    return found.map { ($0.1, true) }
  }
}
