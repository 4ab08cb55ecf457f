import Configuration
import HDF5
import NeuralNetwork
import Parallel
import Suggestions

/// A model of another framework, recognised in a file.
struct ForeignModel {
  let source: WeightsSource
  let convention: Convention
  let naming: any ParameterNaming
  let plan: DetectorPlan
  /// What the file says of the model, and for the rest what the convention implies.
  let configuration: ExperimentConfiguration
  /// What the file does not say.
  let assumptions: [String]

  /// Tries the names that the file's layout can hold and takes those of which most parameters are there.
  /// - Throws: `ConventionError` where none fits, or where the model is a relative of what is known.
  init(_ source: WeightsSource) throws {
    self.source = source
    do {
      let (naming, plan) = try Self.recognised(source)
      var (convention, assumptions) = Self.convention(of: plan, naming, source)
      var configuration = convention.configuration(of: plan)
      if let naming = naming as? any KerasNaming, let keras = source.keras {
        if let model = keras.model {
          do { assumptions = try model.read(into: &configuration, of: plan, naming) } catch let error as ConventionError {
            throw ConventionError("the model's configuration: \(error)")
          }
          if [.kerasRetinaNet, .kerasRetinaNetZeroPadded].contains(convention) {
            // The two differ in this alone.
            convention = configuration.detector.backbone.stemPadding == .symmetric ? .kerasRetinaNetZeroPadded : .kerasRetinaNet
          }
        } else {
          assumptions += keras.assume(&configuration, of: plan, naming)
        }
        assumptions += keras.kernelAssumptions
      }
      if plan.stemKernel == 3, source.keras?.model == nil {
        assumptions.append("the stem's 3x3 convolution is taken to have a stride of 2 and a pooling behind it")
      }
      if let epsilon = try source.root.optionalNumber(StateDictionary.Attribute.epsilon) {
        guard (0...1).contains(epsilon) else {
          throw ConventionError("its attribute \(StateDictionary.Attribute.epsilon) is \(epsilon), which is no epsilon")
        }
        configuration.detector.backbone.epsilon = Float(epsilon)
      }
      let anchors = configuration.detector.anchors.scales.count * configuration.detector.anchors.aspectRatios.count
      if let found = plan.detector?.anchorsPerLocation, found != anchors {
        throw ConventionError("\(found) anchors a location, where \(convention.name) has \(anchors): their sizes are not in the file")
      }
      (self.naming, self.plan, self.convention) = (naming, plan, convention)
      (self.configuration, self.assumptions) = (configuration, assumptions)
    } catch let error as ConventionError {
      throw ConventionError("\(source.path): \(error)")
    }
  }

  private static func recognised(_ source: WeightsSource) throws -> (any ParameterNaming, DetectorPlan) {
    let candidates = source.namings.compactMap { naming in
      DetectorPlan.inferred(from: shapes(source.datasets, naming), naming).map { (naming, $0.plan, $0.found) }
    }
    // The first of equals, as variants differ in what they can name only.
    guard let best = candidates.enumerated().max(by: { ($0.element.2, $1.offset) < ($1.element.2, $0.offset) })?.element else {
      throw ConventionError(complaint(source))
    }
    let (naming, plan, found) = best
    let equals = candidates.filter { $0.2 == found }.compactMap { ($0.0 as? TorchvisionNaming).map { $0.model + $0.backbone } }
    if Set(equals).count > 1 {
      throw ConventionError("several ResNets, of the prefixes \(Set(equals).sorted().map { "\"\($0.escapedForDisplay)\"" }.joined(separator: ", ")): which one is meant is not known")
    }
    try plan.check(shapes(source.datasets, naming), naming, model: "ResNet-\(plan.depth)")
    if let keras = source.keras {
      let used = plan.layers.flatMap { layer in ModelParameter.possible(in: layer).compactMap { naming.name(of: $0, in: layer, of: plan) } }
      if let name = used.first(where: keras.ambiguous.contains) {
        throw ConventionError("two layers have the parameter \"\(name.escapedForDisplay)\": which one is meant is not known")
      }
    }
    return (naming, plan)
  }

  /// Whose settings names imply.
  private static func convention(
    of plan: DetectorPlan, _ naming: any ParameterNaming, _ source: WeightsSource
  ) -> (Convention, assumptions: [String]) {
    if naming is KerasApplicationsNaming {
      let note = "layers are told apart by their order, which is that of keras.applications"
      return (.kerasApplications, source.keras?.namedByOrder == true ? [note] : [])
    }
    guard naming is KerasRetinaNetNaming else { return (.torchvision, []) }
    if plan.detector == nil, plan.convolutionBias || source.keras?.usesFirstNames == true { return (.kerasResNet50, []) }
    return (source.keras?.layers.contains(KerasRetinaNetNaming.stemZeros) == true ? .kerasRetinaNetZeroPadded : .kerasRetinaNet, [])
  }

  private static func complaint(_ source: WeightsSource) -> String {
    let known = Convention.all.map(\.name).joined(separator: ", ")
    let names = source.datasets.keys.sorted().prefix(5).map { "\"\($0.escapedForDisplay)\"" }
    let found = names.isEmpty ? "" : "; it has " + names.joined(separator: ", ") + (source.datasets.count > 5 ? ", ..." : "")
    return "no ResNet or RetinaNet of a known convention (\(known)): \(source.layout.description)\(found)"
  }

  /// The network's shapes by the file's names.
  private static func shapes(_ datasets: [String: HDF5Dataset], _ naming: any ParameterNaming) -> [String: [Int]] {
    datasets.mapValues { KernelLayout(axes: naming.kernelAxes).networkShape($0.shape) }
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
    let found = Dictionary(uniqueKeysWithValues: zip(items, tensors).compactMap { item, tensor in tensor.map { (item.path, $0) } })
    let names = Dictionary(uniqueKeysWithValues: items.map { ($0.path, $0.name) })
    do {
      _ = try NormalizationCheck.check(found, epsilon: configuration.detector.backbone.epsilon) { names[$0] ?? $0 }
    } catch let error as ConventionError { throw ConventionError("\(source.path): \(error)") }
    let used = Set(items.map(\.name))
    return ModelWeights(
      tensors: found, metadata: try metadata,
      leftovers: source.datasets.keys.filter { !used.contains($0) && !TorchvisionNaming.isCounter($0) }.sorted(),
      assumptions: assumptions)
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
