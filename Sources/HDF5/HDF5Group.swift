import CHDF5

/// A named thing in a file that may carry attributes.
public protocol HDF5Object: Sendable {
  var file: HDF5File { get }
  /// Its path from the root, as it was opened.
  var path: String { get }
  var identifier: HDF5Identifier { get }
}

/// An open object of libhdf5.
public struct HDF5Identifier: Sendable {
  let handle: Handle
}

extension HDF5Object {
  var id: hid_t { identifier.handle.id }
  var place: Place { Place(file: file.path, object: path) }
}

/// A folder of groups and datasets.
public struct HDF5Group: HDF5Object {
  public let file: HDF5File
  public let path: String
  public let identifier: HDF5Identifier

  init(file: HDF5File, path: String, handle: Handle) {
    self.file = file
    self.path = path
    identifier = HDF5Identifier(handle: handle)
  }

  /// The names in the group, sorted by their bytes.
  public var names: [String] {
    get throws { try links.map(\.name) }
  }

  /// Whether something is reachable under a path from here; does not open it.
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

  /// Creates a group, and the groups on the way to it.
  @discardableResult
  public func createGroup(_ path: String) throws -> HDF5Group {
    try Library.locked {
      var group = self
      for name in try components(path) {
        let inner = group.appending(name)
        let place = Place(file: file.path, object: inner)
        if try place.check(H5Lexists(group.id, name, CH5P_DEFAULT())) > 0 {
          group = try group.group(name)
          continue
        }
        let creation = try place.handle(H5Pcreate(CH5P_GROUP_CREATE()), H5Pclose)
        try place.check(H5Pset_obj_track_times(creation.id, false))
        let link = try linkCreation(place)
        group = HDF5Group(
          file: file, path: inner,
          handle: try place.handle(
            H5Gcreate2(group.id, name, link.id, creation.id, CH5P_DEFAULT()), H5Gclose))
      }
      return group
    }
  }

  func appending(_ name: String) -> String { path == "/" ? "/\(name)" : "\(path)/\(name)" }

  /// A relative path's names.
  func components(_ path: String) throws -> [String] {
    let names = path.split(separator: "/").map(String.init)
    guard !names.isEmpty else { throw place.error(.invalid("\"\(path.escapedForDisplay)\" is not a path")) }
    return try names.map(place.validName)
  }

  /// Names are UTF-8.
  func linkCreation(_ place: Place) throws -> Handle {
    let link = try place.handle(H5Pcreate(CH5P_LINK_CREATE()), H5Pclose)
    try place.check(H5Pset_char_encoding(link.id, H5T_CSET_UTF8))
    return link
  }
}

// MARK: Opening what is inside

enum OpenObject {
  case group(HDF5Group)
  case dataset(HDF5Dataset)
  case datatype(path: String)
}

extension HDF5Group {
  /// Follows a path name by name, so that errors can say where it ends and no link leaves the file unseen.
  func open(_ path: String) throws -> OpenObject {
    try Library.locked {
      var current = OpenObject.group(self)
      for name in try components(path) {
        guard case .group(let group) = current else {
          throw place.error(.missing(name: path, candidates: []))
        }
        current = try group.openChild(name)
      }
      return current
    }
  }

  func openChild(_ name: String) throws -> OpenObject {
    let path = appending(name)
    let place = Place(file: file.path, object: path)
    guard try place.check(H5Lexists(id, name, CH5P_DEFAULT())) > 0 else {
      throw self.place.error(.missing(name: name, candidates: try names))
    }
    var info = H5L_info_t()
    try place.check(CH5Lget_info(id, name, &info))
    guard info.type == H5L_TYPE_HARD || info.type == H5L_TYPE_SOFT else {
      throw place.error(.refused("a link out of the file"))
    }
    let object = try place.check(H5Oopen(id, name, file.linkAccess.id))
    let handle = Handle(object, H5Oclose)
    switch H5Iget_type(object) {
    case H5I_GROUP: return .group(HDF5Group(file: file, path: path, handle: handle))
    case H5I_DATASET: return .dataset(try HDF5Dataset(file: file, path: path, handle: handle))
    default: return .datatype(path: path)
    }
  }
}
