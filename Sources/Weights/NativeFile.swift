import HDF5
import NeuralNetwork

/// This package's own layout.
///
/// `/model/<layer path>/<parameter>` holds float32 values in C order; the root's attributes hold `WeightsMetadata`.
/// A checkpoint has `/optimizer`, laid out like `/model`, and `/training`, lists of float64, besides.
enum NativeFile {
  enum Section {
    static let model = "model", optimizer = "optimizer", training = "training"
  }

  static func isNative(_ root: HDF5Group) -> Bool {
    root.hasAttribute(WeightsMetadata.Attribute.formatVersion) || root.hasAttribute(WeightsMetadata.Attribute.convention)
  }

  static func weights(in root: HDF5Group) throws -> ModelWeights {
    ModelWeights(tensors: try tensors(in: root, Section.model), metadata: try WeightsMetadata(of: root))
  }

  static func checkpoint(in root: HDF5Group) throws -> Checkpoint {
    let weights = try weights(in: root)
    var training: [String: [Double]] = [:]
    try datasets(in: root, Section.training) { name, dataset in
      training[name] = try dataset.read(as: Double.self, rank: 1)
    }
    return Checkpoint(weights: weights, optimizer: try tensors(in: root, Section.optimizer), training: training)
  }

  static func write(_ checkpoint: Checkpoint, in root: HDF5NewGroup) throws {
    try write(checkpoint.weights, in: root, .checked())
    try write(checkpoint.optimizer, in: root.createGroup(Section.optimizer), .checked())
    let training = try root.createGroup(Section.training)
    for (name, values) in checkpoint.training.sorted(by: { $0.key < $1.key }) {
      try training.createDataset(name, shape: [values.count], values: values, storage: .checked())
    }
  }

  static func write(_ weights: ModelWeights, in root: HDF5NewGroup, _ storage: HDF5Storage.Choice) throws {
    try weights.metadata.write(to: root)
    try write(weights.tensors, in: root.createGroup(Section.model), storage)
  }

  /// In the order of names, on which the file's bytes depend.
  private static func write(
    _ tensors: [String: Tensor], in group: HDF5NewGroup, _ storage: HDF5Storage.Choice
  ) throws {
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      try group.createDataset(name, shape: tensor.shape, values: tensor.values, storage: storage)
    }
  }

  private static func tensors(in root: HDF5Group, _ section: String) throws -> [String: Tensor] {
    var found: [(name: String, dataset: HDF5Dataset)] = []
    try datasets(in: root, section) { found.append(($0, $1)) }
    let values = try root.file.read(found.map(\.dataset), as: Float.self)
    return Dictionary(
      uniqueKeysWithValues: zip(found, values).map { ($0.name, Tensor(shape: $0.dataset.shape, values: $1)) })
  }

  /// Visits a section's datasets with their paths below it. Each is stored for itself, so that a small file cannot
  /// claim one stretch of it as many tensors.
  private static func datasets(
    in root: HDF5Group, _ section: String, _ body: (_ name: String, _ dataset: HDF5Dataset) throws -> Void
  ) throws {
    let group = try root.group(section)
    var stored = 0
    try group.walk { node in
      func refuse(_ what: String) -> HDF5Error {
        HDF5Error(file: root.file.path, object: node.path, reason: .refused(what))
      }
      switch node {
      case .group: break
      case .dataset(let dataset):
        stored = stored.addingReportingOverflow(dataset.storedBytes).partialValue
        guard (0...root.file.size).contains(stored) else { throw refuse("more bytes stored than the file has") }
        try body(node.pathNames.dropFirst().joined(separator: "/"), dataset)
      case .alias(_, let first): throw refuse("a second name of \(first)")
      case .softLink, .datatype: throw refuse("neither a group nor a dataset")
      case .refused(_, let error): throw error
      }
    }
  }
}
