/// A named thing in a file that may carry attributes.
public protocol HDF5Object: Sendable {
  var file: HDF5File { get }
  /// Its path from the root, as it was opened.
  var path: String { get }
  var identifier: HDF5Identifier { get }
}

/// An object's place in its file's catalogue.
public struct HDF5Identifier: Hashable, Sendable {
  let index: Int
}

extension HDF5Object {
  var place: Place { Place(file: file.path, object: path) }
  var record: Catalogue.Object { file.catalogue.objects[identifier.index] }
}

/// A folder of groups and datasets.
public struct HDF5Group: HDF5Object {
  public let file: HDF5File
  public let path: String
  public let identifier: HDF5Identifier
  let group: Catalogue.Group

  init(file: HDF5File, path: String, index: Int, group: Catalogue.Group) {
    self.file = file
    self.path = path
    identifier = HDF5Identifier(index: index)
    self.group = group
  }

  /// The names in the group, sorted by their bytes; names that Swift holds to be equal are told apart by escapes, as are
  /// bytes that are no UTF-8.
  public var names: [String] {
    get throws { try links.map(\.name) }
  }

  /// Whether something can be opened under a path from here.
  public func contains(_ path: String) -> Bool { (try? open(path)) != nil }

  /// The group at a path relative to this one.
  /// - Throws: `HDF5Error`: `.missing` with what is there instead, `.mismatch` if it is a dataset.
  public func group(_ path: String) throws -> HDF5Group {
    switch try open(path) {
    case .group(let group): return group
    case .dataset(let dataset): throw dataset.place.error(.mismatch(expected: "a group", found: "a dataset"))
    case .datatype(let path):
      throw Place(file: file.path, object: path).error(.mismatch(expected: "a group", found: "a named type"))
    }
  }

  /// The dataset at a path relative to this group.
  /// - Throws: `HDF5Error`: `.missing` with what is there instead, `.mismatch` if it is a group.
  public func dataset(_ path: String) throws -> HDF5Dataset {
    switch try open(path) {
    case .dataset(let dataset): return dataset
    case .group(let group): throw group.place.error(.mismatch(expected: "a dataset", found: "a group"))
    case .datatype(let path):
      throw Place(file: file.path, object: path).error(.mismatch(expected: "a dataset", found: "a named type"))
    }
  }

  func appending(_ name: String) -> String { path == "/" ? "/\(name)" : "\(path)/\(name)" }
}

// MARK: Opening what is inside

enum OpenObject {
  case group(HDF5Group)
  case dataset(HDF5Dataset)
  case datatype(path: String)
}

extension HDF5Group {
  /// Soft links followed on the way to one object.
  private static let maximumSoftLinks = 16

  /// Follows a path name by name, so that errors can say where it ends.
  func open(_ path: String) throws -> OpenObject {
    var softLinks = 0
    return try open(path, &softLinks)
  }

  private func open(_ path: String, _ softLinks: inout Int) throws -> OpenObject {
    var current = OpenObject.group(self)
    guard !path.isEmpty else { throw place.error(.invalid("\"\" is not a path")) }
    // "/" is the group itself, as "." is.
    for name in FileName.components(of: path) where name != "." {
      guard case .group(let group) = current else { throw place.error(.missing(name: path, candidates: [])) }
      current = try group.openChild(name, &softLinks)
    }
    return current
  }

  private func openChild(_ name: String, _ softLinks: inout Int) throws -> OpenObject {
    guard let position = group.index(of: name) else {
      if let failure = group.failure { throw place.error(failure) }
      throw place.error(.missing(name: name, candidates: group.links.map(\.name.shown)))
    }
    let inner = Place(file: file.path, object: appending(name))
    switch group.links[position].target {
    case .object(let index): return try open(index, path: appending(name))
    case .outOfFile: throw inner.error(.refused("a link out of the file"))
    case .failure(let reason): throw inner.error(reason)
    case .path(let target):
      softLinks += 1
      guard softLinks <= Self.maximumSoftLinks else {
        throw inner.error(.tooLarge("more than \(Self.maximumSoftLinks) soft links in a row"))
      }
      let found = try (target.hasPrefix("/") ? file.root : self).open(target, &softLinks)
      switch found {
      case .group(let group): return try open(group.identifier.index, path: appending(name))
      case .dataset(let dataset): return try open(dataset.identifier.index, path: appending(name))
      case .datatype: return .datatype(path: appending(name))
      }
    }
  }

  func open(_ index: Int, path: String) throws -> OpenObject {
    switch file.catalogue.objects[index].content {
    case .group(let group): return .group(HDF5Group(file: file, path: path, index: index, group: group))
    case .datatype: return .datatype(path: path)
    case .dataset(.failure(let reason)): throw Place(file: file.path, object: path).error(reason)
    case .dataset(.success(let description)):
      return .dataset(HDF5Dataset(file: file, path: path, index: index, description: description))
    }
  }
}

extension Catalogue.Group {
  /// The very bytes come before what is equal to Swift or shown so.
  fileprivate func index(of name: String) -> Int? {
    guard let position = indexes[name] else { return nil }
    let bytes = Array(name.utf8)
    if links[position].name.bytes == bytes { return position }
    return links.firstIndex { $0.name.bytes == bytes } ?? position
  }
}
