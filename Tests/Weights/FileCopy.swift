import HDF5

/// A copy of an HDF5 file of floats with some of it changed.
struct FileCopy {
  typealias Values = (shape: [Int], values: [Float])

  /// A dataset's name there, by its path from the root; nil leaves it out.
  var name: (_ path: String) -> String? = { $0 }
  var values: (_ path: String, Values) -> Values = { $1 }
  /// An object's attribute; nil leaves it out.
  var attribute: (_ path: String, _ name: String, HDF5Value) -> HDF5Value? = { $2 }
  /// What else the copy holds: datasets, groups with attributes, and the root's attributes.
  var extra: [String: Values] = [:]
  var extraGroups: [String: [String: HDF5Value]] = [:]
  var extraAttributes: [String: HDF5Value] = [:]

  func write(_ source: String, to path: String) throws {
    let root = try HDF5File(reading: source).root
    try HDF5File.writeAtomically(to: path) { file in
      let target = try file.root
      try copyAttributes(of: root, to: target, path: "")
      try root.walk { node in
        let path = String(node.path.dropFirst())
        switch node {
        case .group(let group):
          guard let name = name(path) else { return }
          try copyAttributes(of: group, to: target.createGroup(name), path: path)
        case .dataset(let dataset):
          guard dataset.type.isNumber, let name = name(path) else { return }
          let (shape, values) = values(path, (dataset.shape, try dataset.read()))
          try target.createDataset(name, shape: shape, values: values)
        default: break
        }
      }
      for (name, value) in extraAttributes { try target.setAttribute(name, value) }
      for (name, attributes) in extraGroups {
        let group = try target.createGroup(name)
        for (name, value) in attributes { try group.setAttribute(name, value) }
      }
      for (name, (shape, values)) in extra.sorted(by: { $0.key < $1.key }) {
        try target.createDataset(name, shape: shape, values: values)
      }
    }
  }

  private func copyAttributes(of source: HDF5Group, to target: HDF5NewGroup, path: String) throws {
    for name in try source.attributeNames {
      guard let value = attribute(path, name, try source.attribute(name)) else { continue }
      if case .other = value { continue }
      try target.setAttribute(name, value)
    }
  }
}
