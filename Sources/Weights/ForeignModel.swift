import Configuration
import HDF5
import NeuralNetwork
import Parallel

/// A model of another framework, recognised in a file.
struct ForeignModel {
  let source: WeightsSource
  let convention: Convention
  let naming: any ParameterNaming
  let plan: DetectorPlan
  /// What the convention implies for this model.
  let configuration: ExperimentConfiguration

  /// Tries the conventions that the file's layout can hold and takes the one of which most parameters are there.
  /// - Throws: `ConventionError` where none fits.
  init(_ source: WeightsSource) throws {
    let candidates = source.namings.compactMap { convention, naming in
      DetectorPlan.inferred(from: Self.shapes(source.datasets, naming), naming).map { (convention, naming, $0.plan, $0.found) }
    }
    // The first of equals, as variants differ in what they can name only.
    guard let best = candidates.enumerated().max(by: { ($0.element.3, $1.offset) < ($1.element.3, $0.offset) })?.element else {
      throw ConventionError(Self.complaint(source))
    }
    self.source = source
    (convention, naming, plan) = (best.0, best.1, best.2)
    let epsilon = try source.root.optionalNumber(StateDictionary.Attribute.epsilon).map { Float($0) }
    do { configuration = try convention.configuration(of: plan, epsilon: epsilon) } catch let error as ConventionError {
      throw ConventionError("\(source.path): \(error)")
    }
  }

  private static func complaint(_ source: WeightsSource) -> String {
    let known = Convention.all.map(\.name).joined(separator: ", ")
    let names = source.datasets.keys.sorted().prefix(5).map { "\"\($0.escapedForDisplay)\"" }
    let found = names.isEmpty ? "" : "; it has " + names.joined(separator: ", ") + (source.datasets.count > 5 ? ", ..." : "")
    return "\(source.path): no ResNet or RetinaNet of a known convention (\(known)): \(source.layout.description)\(found)"
  }

  /// The network's shapes by the file's names.
  private static func shapes(_ datasets: [String: HDF5Dataset], _ naming: any ParameterNaming) -> [String: [Int]] {
    datasets.mapValues { KernelLayout(axes: naming.kernelAxes, reversesInputs: false).networkShape($0.shape) }
  }

  // MARK: Reading

  private struct Item {
    let name: String
    let path: String
    let layout: KernelLayout
  }

  /// The parameters that are there.
  private var items: [Item] {
    let native = NativeNaming()
    return plan.layers.flatMap { layer in
      ModelParameter.possible(in: layer).compactMap { parameter in
        guard let name = naming.name(of: parameter, in: layer, of: plan), source.datasets[name] != nil,
          let path = native.name(of: parameter, in: layer, of: plan)
        else { return nil }
        return Item(name: name, path: path, layout: naming.layout(of: parameter, in: layer))
      }
    }
  }

  /// - Throws: `HDF5Error` naming the dataset that cannot be read.
  func weights() throws -> ModelWeights {
    let items = items
    let datasets = items.compactMap { source.datasets[$0.name] }
    let stored = try source.root.file.read(datasets, as: Float.self)
    var tensors = [Tensor?](repeating: nil, count: items.count)
    tensors.withUnsafeMutableBufferPointer { tensors in
      nonisolated(unsafe) let tensors = tensors
      Parallel.forChunks(of: items.count) { _, range in
        for i in range {
          let shape = items[i].layout.networkShape(datasets[i].shape)
          tensors[i] = Tensor(shape: shape, values: items[i].layout.networkValues(stored[i], shape: shape))
        }
      }
    }
    let used = Set(items.map(\.name))
    return ModelWeights(
      tensors: Dictionary(uniqueKeysWithValues: zip(items, tensors).compactMap { item, tensor in tensor.map { (item.path, $0) } }),
      metadata: try metadata,
      leftovers: source.datasets.keys.filter { !used.contains($0) && !TorchvisionNaming.isCounter($0) }.sorted())
  }

  private var metadata: WeightsMetadata {
    get throws {
      WeightsMetadata(
        detector: plan.detector == nil ? WeightsMetadata.backbone : configuration.detector.name.rawValue,
        configuration: configuration.yaml, classNames: try classNames, convention: convention.name)
    }
  }

  /// As the file says, else those of COCO where their number is COCO's, else numbers.
  private var classNames: [String] {
    get throws {
      guard let count = plan.detector?.classCount else { return [] }
      if source.root.hasAttribute(StateDictionary.Attribute.classNames) {
        let names = try source.root.strings(StateDictionary.Attribute.classNames)
        guard names.count == count else {
          throw ConventionError("\(source.path): \(names.count) class names for \(count) classes")
        }
        return names
      }
      return convention.classNames(count: count)
    }
  }
}

extension HDF5Group {
  /// A number of either kind.
  fileprivate func optionalNumber(_ name: String) throws -> Double? {
    guard hasAttribute(name) else { return nil }
    switch try attribute(name) {
    case .floats(let values, _) where values.count == 1: return values[0]
    case .integers(let values, _) where values.count == 1: return Double(values[0])
    case let other:
      throw HDF5Error(
        file: file.path, object: path, attribute: name, reason: .mismatch(expected: "one number", found: other.kind))
    }
  }
}
