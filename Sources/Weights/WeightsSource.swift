import HDF5

/// A weights file, opened: in which layout it is and what its datasets are called there.
struct WeightsSource {
  enum Layout: Hashable, Sendable {
    case native
    /// One dataset a key of a PyTorch state dictionary, in the root.
    case stateDictionary
    case kerasLegacy(version: String?)
    case kerasNumbered(isArchive: Bool)
    case unknown

    var description: String {
      switch self {
      case .native: "this package's layout"
      case .stateDictionary: "state dictionary, one dataset a key"
      case .kerasLegacy(let version): "Keras' legacy HDF5 layout" + (version.map { ", saved by Keras \($0.escapedForDisplay)" } ?? "")
      case .kerasNumbered(let isArchive): isArchive ? "Keras 3 archive" : "Keras 3 weights"
      case .unknown: "unknown layout"
      }
    }
  }

  let path: String
  let root: HDF5Group
  let layout: Layout
  /// Of other frameworks' layouts, by the names that `ParameterNaming` gives.
  let datasets: [String: HDF5Dataset]

  /// - Throws: `HDF5Error`.
  static func open(_ path: String) throws -> WeightsSource {
    if KerasArchive.isArchive(path) {
      let (file, names) = try KerasArchive.open(path)
      let root = try file.root
      return WeightsSource(
        path: path, root: root, layout: .kerasNumbered(isArchive: true),
        datasets: KerasFile.namedByOrder(try KerasFile.numberedDatasets(root, layerNames: names)))
    }
    let root = try HDF5File(reading: path).root
    if NativeFile.isNative(root) { return WeightsSource(path: path, root: root, layout: .native, datasets: [:]) }
    if KerasFile.isLegacy(root) {
      return WeightsSource(
        path: path, root: root, layout: .kerasLegacy(version: KerasFile.version(root)),
        datasets: try KerasFile.legacyDatasets(root))
    }
    if KerasFile.isNumbered(root) {
      return WeightsSource(
        path: path, root: root, layout: .kerasNumbered(isArchive: false),
        datasets: KerasFile.namedByOrder(try KerasFile.numberedDatasets(root)))
    }
    let datasets = try StateDictionary.datasets(root)
    return WeightsSource(
      path: path, root: root, layout: datasets.isEmpty ? .unknown : .stateDictionary, datasets: datasets)
  }

  /// Those of the conventions that the layout can hold, the likeliest first.
  var namings: [(convention: Convention, naming: any ParameterNaming)] {
    switch layout {
    case .native, .unknown: []
    case .stateDictionary: TorchvisionNaming.variants.map { (.torchvision, $0) }
    case .kerasLegacy, .kerasNumbered:
      [
        (.kerasApplications, KerasApplicationsNaming()),
        (KerasFile.hasLayer(KerasRetinaNetNaming.stemZeros, in: root) ? .kerasRetinaNetZeroPadded : .kerasRetinaNet, KerasRetinaNetNaming()),
      ]
    }
  }
}

/// PyTorch's state dictionaries as HDF5: a dataset of the key's name for each entry, in the root.
enum StateDictionary {
  enum Attribute {
    static let classNames = "class_names", epsilon = "batch_norm_epsilon"
  }

  /// Names without the prefix that `DataParallel` puts in front.
  static func datasets(_ root: HDF5Group) throws -> [String: HDF5Dataset] {
    var datasets: [String: HDF5Dataset] = [:]
    for link in try root.links where link.kind == .hard {
      guard link.name.contains("."), let dataset = try? root.dataset(link.name) else { continue }
      let name = link.name.hasPrefix("module.") ? String(link.name.dropFirst("module.".count)) : link.name
      datasets[name] = dataset
    }
    return datasets
  }
}
