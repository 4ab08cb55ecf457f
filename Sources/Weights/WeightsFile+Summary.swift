import Configuration
import HDF5
import Suggestions

extension WeightsFile {
  /// A text about any HDF5 file: convention, number of parameters, and the tree of its groups and datasets with
  /// shapes, types, storage and attributes.
  /// - Throws: `HDF5Error` when the file cannot be opened or walked.
  public static func summary(_ path: String) throws -> String {
    let (source, damage) = try opened(path)
    let (root, file) = (source.root, source.root.file)
    var tree = ["/"]
    appendAttributes(of: root, indent: "  ", to: &tree)
    var parameters = 0
    var datasets = 0
    let model = ((try? root.links) ?? []).contains { $0.name == NativeFile.Section.model && $0.kind == .hard } ? "/\(NativeFile.Section.model)/" : "/"
    try root.walk { node in
      let indent = String(repeating: "  ", count: node.pathNames.count)
      let name = indent + node.name.escapedForDisplay
      switch node {
      case .group(let group):
        tree.append("\(name)/")
        appendAttributes(of: group, indent: indent + "  ", to: &tree)
      case .dataset(let dataset):
        datasets += 1
        if dataset.type.isNumber, dataset.path.hasPrefix(model), let count = dataset.count {
          parameters = parameters.addingReportingOverflow(count).partialValue
        }
        tree.append("\(name)  \(describe(dataset))")
        appendAttributes(of: dataset, indent: indent + "  ", to: &tree)
      case .datatype: tree.append("\(name)  named type")
      case .softLink: tree.append("\(name)  soft link")
      case .alias(_, let first): tree.append("\(name)  same as \(first.escapedForDisplay)")
      case .refused(_, let error): tree.append("\(name)  \(error.reason)")
      }
    }
    let head = ["\(path): \(file.size) bytes, \(datasets) datasets"] + (try origin(of: source, damage))
      + ["parameters: \(parameters)" + (model == "/" ? "" : " (in \(model.dropLast()))")]
    return (head + tree).joined(separator: "\n") + "\n"
  }

  /// What can be seen of a damaged file is shown, and why no model is read from it.
  private static func opened(_ path: String) throws -> (WeightsSource, damage: HDF5Error?) {
    do { return (try WeightsSource.open(path), nil) } catch let error as HDF5Error
      where error.object != nil && !KerasArchive.isArchive(path)
    {
      let root = try HDF5File(reading: path).root
      return (WeightsSource(path: path, root: root, layout: .unknown, datasets: [:]), error)
    }
  }

  /// Which convention the parameters follow and what model they make.
  private static func origin(of source: WeightsSource, _ damage: HDF5Error?) throws -> [String] {
    var lines = ["layout: \(source.layout.description)"]
    if let damage {
      let place = damage.description.dropFirst(source.path.count + 2)
      return lines + ["convention: unknown", "model: none that is read: \(place)"]
    }
    if source.layout == .native {
      let convention = (try? source.root.string(WeightsMetadata.Attribute.convention)) ?? Convention.native.name
      let detector = (try? source.root.string(WeightsMetadata.Attribute.detector)) ?? "unknown"
      return lines + ["convention: \(convention.escapedForDisplay)", "model: \(detector.escapedForDisplay)"]
    }
    let model: ForeignModel
    do { model = try ForeignModel(source) } catch let error as ConventionError {
      let reason = error.description.hasPrefix("\(source.path): ") ? String(error.description.dropFirst(source.path.count + 2)) : error.description
      return lines + ["convention: unknown", "model: none that is read: \(reason)"]
    }
    lines.append("convention: \(model.convention.name): \(model.convention.summary)")
    var what = "ResNet-\(model.plan.depth), \(model.plan.width) channels in the first stage"
    if let detector = model.plan.detector { what = "RetinaNet on \(what); \(detector.classCount) classes" }
    lines.append("model: \(what)")
    if source.keras != nil { lines.append("backbone: \(describe(model.configuration.detector.backbone))") }
    lines += model.assumptions.map { "assumed: \($0)" }
    return lines
  }

  /// What names do not tell.
  private static func describe(_ backbone: DetectorConfiguration.Backbone) -> String {
    "epsilon \(backbone.epsilon), stride in \(backbone.bottleneckStride), \(backbone.stemPadding) stem padding, \(backbone.poolPadding) pool padding"
  }

  private static func describe(_ dataset: HDF5Dataset) -> String {
    let shape = dataset.shape.isEmpty ? "scalar" : dataset.shape.map(String.init).joined(separator: " x ")
    var parts = [shape, "\(dataset.type)"]
    if let chunk = dataset.storage.chunk {
      parts.append("chunks \(chunk.map(String.init).joined(separator: " x "))")
    }
    if !dataset.storage.filters.isEmpty {
      parts.append(dataset.storage.filters.map(\.description).joined(separator: " + "))
    }
    return parts.joined(separator: ", ")
  }

  /// A damaged attribute is named, and the rest still shown.
  private static func appendAttributes(of object: some HDF5Object, indent: String, to lines: inout [String]) {
    let names: [String]
    do { names = try object.attributeNames } catch {
      lines.append("\(indent)@ attributes cannot be read: \(error)")
      return
    }
    for name in names {
      let value: String
      do { value = describe(try object.attribute(name)) } catch let error as HDF5Error {
        value = "\(error.reason)"
      } catch { value = "\(error)" }
      lines.append("\(indent)@\(name.escapedForDisplay) = \(value)")
    }
  }

  private static func describe(_ value: HDF5Value) -> String {
    switch value {
    case .integers(let values, let shape): list(values.map(String.init), shape)
    case .floats(let values, let shape): list(values.map { "\($0)" }, shape)
    case .strings(let values, let shape): list(values.map(quoted), shape)
    case .other(let type): "(\(type))"
    }
  }

  private static func list(_ values: [String], _ shape: [Int]) -> String {
    if shape.isEmpty, let value = values.first { return value }
    let shown = values.prefix(8).joined(separator: ", ")
    return values.count > 8 ? "[\(shown), ... (\(values.count) in all)]" : "[\(shown)]"
  }

  /// The beginning of a text, on one line.
  private static func quoted(_ text: String) -> String {
    let shown = text.prefix(60)
    return "\"\(String(shown).escapedForDisplay)\"" + (text.count > 60 ? "... (\(text.count) characters)" : "")
  }
}
