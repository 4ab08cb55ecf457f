import HDF5
import Suggestions

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
      case .kerasNumbered(let isArchive): isArchive ? "Keras archive" : "Keras' numbered layout"
      case .unknown: "unknown layout"
      }
    }
  }

  let path: String
  let root: HDF5Group
  let layout: Layout
  /// Of other frameworks' layouts, by the names that `ParameterNaming` gives.
  let datasets: [String: HDF5Dataset]
  /// What a file of Keras' says besides.
  var keras: KerasFile?

  /// - Throws: `HDF5Error`, or `ConventionError` for a model's configuration that is no JSON.
  static func open(_ path: String) throws -> WeightsSource {
    if KerasArchive.isArchive(path) {
      let (file, model) = try KerasArchive.open(path)
      let root = try file.root
      return keras(path, root, .kerasNumbered(isArchive: true), try KerasNumbered.read(root, model: model))
    }
    let root = try HDF5File(reading: path).root
    if NativeFile.isNative(root) { return WeightsSource(path: path, root: root, layout: .native, datasets: [:]) }
    if KerasLegacy.isLegacy(root) {
      return keras(path, root, .kerasLegacy(version: KerasLegacy.version(root)), try KerasLegacy.read(root))
    }
    if KerasNumbered.isNumbered(root) {
      return keras(path, root, .kerasNumbered(isArchive: false), try KerasNumbered.read(root))
    }
    let datasets = try StateDictionary.datasets(root)
    return WeightsSource(
      path: path, root: root, layout: datasets.isEmpty ? .unknown : .stateDictionary, datasets: datasets)
  }

  private static func keras(_ path: String, _ root: HDF5Group, _ layout: Layout, _ file: KerasFile) -> WeightsSource {
    WeightsSource(path: path, root: root, layout: layout, datasets: file.datasets, keras: file)
  }

  /// Those that the layout can hold, the likeliest first.
  var namings: [any ParameterNaming] {
    switch layout {
    case .native, .unknown: return []
    case .stateDictionary: return TorchvisionNaming.variants(in: datasets.keys)
    case .kerasLegacy, .kerasNumbered:
      let kernels = keras?.kernels ?? KernelLayout(axes: .heightWidthInputOutput)
      return [
        KerasApplicationsNaming(kernels: kernels), KerasRetinaNetNaming(kernels: kernels),
        KerasRetinaNetNaming(kernels: kernels, lettersOnly: true),
      ]
    }
  }
}

/// PyTorch's state dictionaries as HDF5: a dataset of the key's name for each entry, in the root.
enum StateDictionary {
  enum Attribute {
    static let classNames = "class_names", epsilon = "batch_norm_epsilon"
  }

  /// - Throws: `HDF5Error` naming what is damaged.
  static func datasets(_ root: HDF5Group) throws -> [String: HDF5Dataset] {
    var datasets: [String: HDF5Dataset] = [:]
    for link in try root.links where link.kind == .hard && link.name.contains(".") {
      do { datasets[link.name] = try root.dataset(link.name) } catch let error as HDF5Error {
        // Groups and types may be there, too.
        guard case .mismatch = error.reason else { throw error }
      }
    }
    return datasets
  }
}
