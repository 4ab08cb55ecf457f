import CHDF5

/// An HDF5 file that is being written: see `HDF5File.writeAtomically`.
public final class HDF5Writer: Sendable {
  public let path: String
  public let limits: HDF5Limits
  let handle: Handle

  /// Creates a file, or empties the one that is there, in the format of HDF5 1.10, whose metadata carry checksums.
  /// - Parameter compatible: in the oldest format that serves, as h5py and Keras write, instead.
  init(creating path: String, limits: HDF5Limits = HDF5Limits(), compatible: Bool = false) throws {
    let place = Place(file: path)
    self.path = path
    self.limits = limits
    handle = try Library.locked {
      let access = try place.handle(H5Pcreate(CH5P_FILE_ACCESS()), H5Pclose)
      if !compatible { try place.check(H5Pset_libver_bounds(access.id, H5F_LIBVER_V110, H5F_LIBVER_V110)) }
      try place.check(H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG))
      // No locks, as finished files only change by being replaced.
      try place.check(H5Pset_file_locking(access.id, false, true))
      let creation = try place.handle(H5Pcreate(CH5P_FILE_CREATE()), H5Pclose)
      // A file is a function of its contents: no times are recorded.
      try place.check(H5Pset_obj_track_times(creation.id, false))
      return try place.handle(H5Fcreate(path, CH5F_ACC_TRUNC(), creation.id, access.id), H5Fclose)
    }
  }

  /// The group "/".
  public var root: HDF5NewGroup {
    get throws {
      try Library.locked {
        let place = Place(file: path, object: "/")
        return HDF5NewGroup(
          writer: self, path: "/", handle: try place.handle(H5Gopen2(handle.id, "/", CH5P_DEFAULT()), H5Gclose))
      }
    }
  }

  /// Writes all that is pending and closes the file; whatever was opened from it is of no use any more.
  func close() throws {
    try Library.locked {
      let place = Place(file: path)
      try place.check(H5Fflush(handle.id, H5F_SCOPE_GLOBAL))
      try place.check(H5Fclose(handle.id))
    }
  }
}

/// A group or dataset of a file that is being written.
public protocol HDF5NewObject: Sendable {
  var writer: HDF5Writer { get }
  var path: String { get }
  var identifier: HDF5NewIdentifier { get }
}

/// An open object of libhdf5.
public struct HDF5NewIdentifier: Sendable {
  let handle: Handle
}

extension HDF5NewObject {
  var id: hid_t { identifier.handle.id }
  var place: Place { Place(file: writer.path, object: path) }
}

/// A dataset just written, to which attributes may be added.
public struct HDF5NewDataset: HDF5NewObject {
  public let writer: HDF5Writer
  public let path: String
  public let identifier: HDF5NewIdentifier
}

/// A folder of groups and datasets.
public struct HDF5NewGroup: HDF5NewObject {
  public let writer: HDF5Writer
  public let path: String
  public let identifier: HDF5NewIdentifier

  init(writer: HDF5Writer, path: String, handle: Handle) {
    self.writer = writer
    self.path = path
    identifier = HDF5NewIdentifier(handle: handle)
  }

  /// Creates a group, and the groups on the way to it; one that is there is used.
  /// - Throws: `HDF5Error`: `.invalid` for a name that cannot be.
  @discardableResult
  public func createGroup(_ path: String) throws -> HDF5NewGroup {
    try Library.locked {
      var group = self
      for name in try Place.components(of: path, place) {
        let inner = group.appending(name)
        let place = Place(file: writer.path, object: inner)
        let handle: Handle
        if try place.check(H5Lexists(group.id, name, CH5P_DEFAULT())) > 0 {
          handle = try place.handle(H5Gopen2(group.id, name, CH5P_DEFAULT()), H5Gclose)
        } else {
          let creation = try place.handle(H5Pcreate(CH5P_GROUP_CREATE()), H5Pclose)
          try place.check(H5Pset_obj_track_times(creation.id, false))
          let link = try linkCreation(place)
          handle = try place.handle(H5Gcreate2(group.id, name, link.id, creation.id, CH5P_DEFAULT()), H5Gclose)
        }
        group = HDF5NewGroup(writer: writer, path: inner, handle: handle)
      }
      return group
    }
  }

  /// Creates a dataset, and the groups on the way to it.
  /// - Throws: `HDF5Error`: `.invalid` for a name or shape that cannot be, or a name that is taken.
  @discardableResult
  public func createDataset<Number: HDF5Number>(
    _ path: String, shape: [Int], values: [Number], storage: HDF5Storage.Choice = .contiguous
  ) throws -> HDF5NewDataset {
    let types = Number.hdf5Types
    return try Library.locked {
      let names = try Place.components(of: path, place)
      let name = names[names.count - 1]
      let group = names.count > 1 ? try createGroup(names.dropLast().joined(separator: "/")) : self
      let inner = group.appending(name)
      let place = Place(file: writer.path, object: inner)
      guard elementCount(shape) == values.count else {
        throw place.error(.invalid("shape \(shape) does not hold \(values.count) values"))
      }
      guard try place.check(H5Lexists(group.id, name, CH5P_DEFAULT())) == 0 else {
        throw place.error(.invalid("the name is taken"))
      }
      let properties = try place.handle(H5Pcreate(CH5P_DATASET_CREATE()), H5Pclose)
      try place.check(H5Pset_obj_track_times(properties.id, false))
      // Every value is written just below.
      try place.check(H5Pset_fill_time(properties.id, H5D_FILL_TIME_NEVER))
      try HDF5Storage.apply(
        storage, shape: shape, elementBytes: H5Tget_size(types.file), to: properties.id, place)
      let space = try Space.make(shape, place)
      let link = try linkCreation(place)
      let handle = try place.handle(
        H5Dcreate2(group.id, name, types.file, space.id, link.id, properties.id, CH5P_DEFAULT()), H5Dclose)
      if !values.isEmpty {
        try values.withUnsafeBytes { bytes in
          _ = try place.check(
            H5Dwrite(handle.id, types.memory, CH5S_ALL(), CH5S_ALL(), CH5P_DEFAULT(), bytes.baseAddress))
        }
      }
      return HDF5NewDataset(writer: writer, path: inner, identifier: HDF5NewIdentifier(handle: handle))
    }
  }

  private func appending(_ name: String) -> String { path == "/" ? "/\(name)" : "\(path)/\(name)" }

  /// Names are UTF-8.
  private func linkCreation(_ place: Place) throws -> Handle {
    let link = try place.handle(H5Pcreate(CH5P_LINK_CREATE()), H5Pclose)
    try place.check(H5Pset_char_encoding(link.id, H5T_CSET_UTF8))
    return link
  }
}
