import CHDF5

/// An entry of a group.
public struct HDF5Link: Hashable, Sendable {
  public enum Kind: Hashable, Sendable { case hard, soft, outOfFile }
  public let name: String
  public let kind: Kind
}

/// What a walk meets.
public enum HDF5Node: Sendable {
  case group(HDF5Group)
  case dataset(HDF5Dataset)
  /// A type stored under a name.
  case datatype(path: String)
  /// A symbolic link inside the file, not followed.
  case softLink(path: String)
  /// Another name of an object met before.
  case alias(path: String, of: String)
  /// What is not followed: a link out of the file, or a dataset whose values lie elsewhere.
  case refused(path: String, HDF5Error)

  public var path: String {
    switch self {
    case .group(let group): group.path
    case .dataset(let dataset): dataset.path
    case .datatype(let path), .softLink(let path), .alias(let path, _), .refused(let path, _): path
    }
  }
}

extension HDF5Group {
  /// The group's entries, sorted by the bytes of their names.
  public var links: [HDF5Link] {
    get throws {
      try Library.locked {
        var links: [HDF5Link] = []
        let status = withUnsafeMutablePointer(to: &links) { pointer in
          CH5Literate(
            id,
            { _, name, info, data in
              guard let name, let info, let data else { return -1 }
              let kind: HDF5Link.Kind =
                switch info.pointee.type {
                case H5L_TYPE_HARD: .hard
                case H5L_TYPE_SOFT: .soft
                default: .outOfFile
                }
              data.assumingMemoryBound(to: [HDF5Link].self).pointee.append(
                HDF5Link(name: String(cString: name), kind: kind))
              return 0
            }, pointer)
        }
        try place.check(status)
        return links
      }
    }
  }

  /// Visits all below this group, depth first, siblings by name, each object once: links may form cycles.
  /// - Throws: `HDF5Error` for damage or groups nested beyond `HDF5Limits.depth`, or what `visit` throws.
  public func walk(_ visit: (HDF5Node) throws -> Void) throws {
    var seen: [haddr_t: String] = [:]
    seen[try address] = path
    try walk(depth: 1, seen: &seen, visit)
  }

  private func walk(depth: Int, seen: inout [haddr_t: String], _ visit: (HDF5Node) throws -> Void) throws {
    guard depth <= file.limits.depth else {
      throw place.error(.tooLarge("groups nested deeper than \(file.limits.depth)"))
    }
    for link in try links {
      let inner = appending(link.name)
      if link.kind == .soft {
        try visit(.softLink(path: inner))
        continue
      }
      let object: OpenObject
      do {
        object = try open(link.name)
      } catch let error as HDF5Error {
        guard case .refused = error.reason else { throw error }
        try visit(.refused(path: inner, error))
        continue
      }
      switch object {
      case .datatype(let path): try visit(.datatype(path: path))
      case .dataset(let dataset):
        if let first = try dataset.enter(in: &seen) {
          try visit(.alias(path: inner, of: first))
        } else {
          try visit(.dataset(dataset))
        }
      case .group(let group):
        if let first = try group.enter(in: &seen) {
          try visit(.alias(path: inner, of: first))
        } else {
          try visit(.group(group))
          try group.walk(depth: depth + 1, seen: &seen, visit)
        }
      }
    }
  }
}

extension HDF5Object {
  var address: haddr_t {
    get throws {
      try Library.locked {
        var address: haddr_t = 0
        try place.check(CH5Oget_address(id, &address))
        return address
      }
    }
  }

  /// Notes the object as seen; the path it was seen under before, if it was.
  fileprivate func enter(in seen: inout [haddr_t: String]) throws -> String? {
    let address = try address
    if let first = seen[address] { return first }
    seen[address] = path
    return nil
  }
}
