import HDF5

/// The layout of `.weights.h5` and of archives, since Keras 2.12: a group "vars" a layer, in which parameters are
/// numbered, in folders that are numbered class by class.
enum KerasNumbered {
  static func isNumbered(_ root: HDF5Group) -> Bool {
    let tops = Set(((try? root.links) ?? []).compactMap { KerasFile.parts($0.name).first })
    return tops.contains("layers") || tops.contains("_layer_checkpoint_dependencies")
      || tops.contains { root.contains("\($0)/vars") || root.contains("\($0)/layers") }
  }

  /// A layer's folder, or a model's.
  private struct Folder {
    var name: String?
    var datasets: [HDF5Dataset] = []
  }

  /// - Parameter model: the archive's configuration, which has the names that files of Keras before 3.5 do not repeat.
  /// - Throws: `HDF5Error` for damage.
  static func read(_ root: HDF5Group, model: KerasModel? = nil) throws -> KerasFile {
    var folders: [String: Folder] = [:]
    try root.walk { node in
      var parts = KerasFile.parts(node.path)
      // The optimiser's state is nobody's weights.
      if parts.first == "optimizer" { return }
      switch node {
      case .group(let group):
        let isParameters = parts.last == "vars"
        if isParameters { parts.removeLast() }
        let path = parts.joined(separator: "/")
        var folder = folders[path] ?? Folder()
        if isParameters, group.hasAttribute("name") { folder.name = try group.string("name") }
        folders[path] = folder
      case .dataset(let dataset):
        parts.removeLast()
        guard parts.popLast() == "vars" else { return }
        folders[parts.joined(separator: "/"), default: Folder()].datasets.append(dataset)
      case .refused(_, let error): throw error
      case .alias, .softLink, .datatype: break
      }
    }
    let models = models(folders.keys)
    if let model { name(&folders, of: models, as: model.layers, in: "") }
    var file = KerasFile()
    file.model = model
    file.namedByOrder = nameByOrder(&folders, of: models)
    for (path, folder) in folders.sorted(by: { $0.key < $1.key }) {
      for dataset in folder.datasets {
        let last = KerasFile.parts(dataset.path).last.map(String.init) ?? ""
        let parameter = Int(last).map { KerasFile.numbered($0, of: folder.datasets.count) } ?? last
        file.add(dataset, as: "\(folder.name ?? path)/\(parameter)")
      }
    }
    return file
  }

  // MARK: Names

  /// Each model's folders of layers, class by class in the order of the layers. Numbers may leave gaps: Keras before 2.14
  /// counts a layer with parameters twice.
  private typealias Models = [String: [String: [String]]]

  private static func models(_ paths: some Sequence<String>) -> Models {
    var models: [String: [String: [(number: Int, path: String)]]] = [:]
    for path in paths {
      let parts = path.split(separator: "/")
      guard parts.count >= 2, ["layers", "_layer_checkpoint_dependencies"].contains(parts[parts.count - 2]) else { continue }
      var words = parts[parts.count - 1].split(separator: "_", omittingEmptySubsequences: false)
      let number = words.count > 1 ? words.last.flatMap { Int($0) } : nil
      if number != nil { words.removeLast() }
      let model = parts.dropLast(2).joined(separator: "/")
      models[model, default: [:]][words.joined(separator: "_"), default: []].append((number ?? 0, path))
    }
    return models.mapValues { $0.mapValues { $0.sorted { ($0.number, $0.path) < ($1.number, $1.path) }.map(\.path) } }
  }

  private static func name(_ folders: inout [String: Folder], of models: Models, as layers: [KerasModel.Layer], in model: String) {
    let classes = models[model] ?? [:]
    for (folder, layers) in Dictionary(grouping: layers, by: { snakeCase($0.kind) }) {
      // A layer that stands for none of the folders would shift all after it.
      guard let paths = classes[folder], paths.count == layers.count else { continue }
      for (path, layer) in zip(paths, layers) {
        if folders[path]?.name == nil { folders[path]?.name = layer.name }
        if layer.isModel { name(&folders, of: models, as: layer.inner, in: path) }
      }
    }
  }

  /// Names for models without any: the order of `model.layers` is known for `keras.applications`' ResNets, and shapes
  /// tell whether it is one.
  /// - Returns: whether a model got its names so.
  private static func nameByOrder(_ folders: inout [String: Folder], of models: Models) -> Bool {
    let naming = KerasApplicationsNaming()
    var isNamed = false
    for (_, classes) in models.sorted(by: { $0.key < $1.key }) {
      let (convolutions, normalizations) = (classes["conv2d"] ?? [], classes["batch_normalization"] ?? [])
      guard let first = convolutions.first, folders[first]?.name == nil,
        let width = folders[first]?.datasets.first(where: { $0.shape.count == 4 })?.shape[3], width > 0
      else { continue }
      for depth in [152, 101, 50] {
        var plan = DetectorPlan(depth: depth)
        (plan.width, plan.convolutionBias) = (width, true)
        let layers = naming.ordered(plan)
        let (kernels, norms) = (layers.filter { !$0.isNormalization }, layers.filter(\.isNormalization))
        guard kernels.count <= convolutions.count, norms.count <= normalizations.count else { continue }
        let pairs = Array(zip(convolutions, kernels)) + Array(zip(normalizations, norms))
        let fits = pairs.allSatisfy { path, layer in
          (folders[path]?.datasets ?? []).allSatisfy { dataset in
            let index = KerasFile.parts(dataset.path).last.flatMap { Int($0) } ?? 0
            let possible = ModelParameter.possible(in: layer)
            guard index < possible.count, let shape = plan.shape(of: possible[index], in: layer) else { return false }
            return KernelLayout(axes: .heightWidthInputOutput).networkShape(dataset.shape) == shape
          }
        }
        guard fits else { continue }
        for (path, layer) in pairs { folders[path]?.name = naming.layer(layer, of: plan) }
        isNamed = true
        break
      }
    }
    return isNamed
  }

  /// "BatchNormalization" to "batch_normalization", "Conv2D" to "conv2d", as Keras does it.
  private static func snakeCase(_ name: String) -> String {
    let letters = Array(name)
    var result = ""
    for (index, letter) in letters.enumerated() {
      let startsWord = letter.isUppercase && index > 0 && index + 1 < letters.count
        && (letters[index + 1].isLowercase || letters[index + 1].isNumber)
      let followsSmall = letter.isUppercase && index > 0 && letters[index - 1].isLowercase
      if startsWord || followsSmall { result += "_" }
      result += letter.lowercased()
    }
    return result
  }
}
