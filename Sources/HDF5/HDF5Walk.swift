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
  /// What is not followed, a link out of the file or a dataset whose values lie elsewhere, or is damaged. Of a damaged group,
  /// which is met before, what else is in it is unknown.
  case refused(path: String, HDF5Error)

  public var path: String {
    switch self {
    case .group(let group): group.path
    case .dataset(let dataset): dataset.path
    case .datatype(let path), .softLink(let path), .alias(let path, _), .refused(let path, _): path
    }
  }

  /// The names on the way from the root, of which there may be some with a combining mark behind the slash.
  public var pathNames: [String] { FileName.components(of: path) }
  public var name: String { pathNames.last ?? "" }
}

extension HDF5Group {
  /// The group's entries, sorted by the bytes of their names.
  public var links: [HDF5Link] {
    get throws {
      if let failure = group.failure { throw place.error(failure) }
      return group.links.map { link in
        switch link.target {
        case .object, .failure: HDF5Link(name: link.name.shown, kind: .hard)
        case .path: HDF5Link(name: link.name.shown, kind: .soft)
        case .outOfFile: HDF5Link(name: link.name.shown, kind: .outOfFile)
        }
      }
    }
  }

  /// Visits all below this group, depth first, siblings by name, each object once: links may form cycles.
  /// - Throws: `HDF5Error` for groups nested beyond `HDF5Limits.depth`, or what `visit` throws.
  public func walk(_ visit: (HDF5Node) throws -> Void) throws {
    var seen = [identifier.index: path]
    try walk(depth: 1, seen: &seen, visit)
  }

  private func walk(depth: Int, seen: inout [Int: String], _ visit: (HDF5Node) throws -> Void) throws {
    guard depth <= file.limits.depth else {
      throw place.error(.tooLarge("groups nested deeper than \(file.limits.depth)"))
    }
    for link in group.links {
      let inner = appending(link.name.shown)
      switch link.target {
      case .path: try visit(.softLink(path: inner))
      case .outOfFile: try visit(refused(inner, .refused("a link out of the file")))
      case .failure(let reason): try visit(refused(inner, reason))
      case .object(let index):
        if let first = seen[index] {
          try visit(.alias(path: inner, of: first))
          continue
        }
        seen[index] = inner
        if case .dataset(.failure(let reason)) = file.catalogue.objects[index].content {
          try visit(refused(inner, reason))
          continue
        }
        switch try open(index, path: inner) {
        case .datatype(let path): try visit(.datatype(path: path))
        case .dataset(let dataset): try visit(.dataset(dataset))
        case .group(let group):
          try visit(.group(group))
          try group.walk(depth: depth + 1, seen: &seen, visit)
        }
      }
    }
    if let failure = group.failure { try visit(refused(path, failure)) }
  }

  private func refused(_ path: String, _ reason: HDF5Error.Reason) -> HDF5Node {
    .refused(path: path, Place(file: file.path, object: path).error(reason))
  }
}
