import CHDF5
import Glibc

/// An open HDF5 file. Closed when it and everything opened from it are gone.
public final class HDF5File: Sendable {
  public let path: String
  public let limits: HDF5Limits
  /// The file's size in bytes when it was opened for reading; 0 for a new file.
  public let size: Int
  let handle: Handle
  /// How links are followed: few soft ones in a row, none to another file.
  let linkAccess: Handle

  var place: Place { Place(file: path) }

  /// Opens a file for reading.
  /// - Throws: `HDF5Error`: `.missingFile`, `.notHDF5`, or `.library` for a truncated or damaged file.
  public init(reading path: String, limits: HDF5Limits = HDF5Limits()) throws {
    let place = Place(file: path)
    self.path = path
    self.limits = limits
    var status = stat()
    guard stat(path, &status) == 0 else { throw place.error(.missingFile(systemMessage())) }
    // Opening a pipe would wait for its writer.
    guard status.st_mode & S_IFMT == S_IFREG else { throw place.error(.missingFile("not an ordinary file")) }
    guard access(path, R_OK) == 0 else { throw place.error(.missingFile(systemMessage())) }
    size = Int(status.st_size)
    (handle, linkAccess) = try Library.locked {
      guard try place.check(H5Fis_hdf5(path)) > 0 else { throw place.error(.notHDF5) }
      let access = try fileAccess(place)
      return (
        try place.handle(H5Fopen(path, CH5F_ACC_RDONLY(), access.id), H5Fclose), try safeLinkAccess(place)
      )
    }
  }

  /// Creates a file, or empties the one that is there. `writeAtomically` is the safer way to a finished file.
  public init(creating path: String, limits: HDF5Limits = HDF5Limits()) throws {
    let place = Place(file: path)
    self.path = path
    self.limits = limits
    size = 0
    (handle, linkAccess) = try Library.locked {
      let access = try fileAccess(place)
      let creation = try place.handle(H5Pcreate(CH5P_FILE_CREATE()), H5Pclose)
      // A file is a function of its contents: no times are recorded.
      try place.check(H5Pset_obj_track_times(creation.id, false))
      return (
        try place.handle(H5Fcreate(path, CH5F_ACC_TRUNC(), creation.id, access.id), H5Fclose),
        try safeLinkAccess(place)
      )
    }
  }

  /// The group "/".
  public var root: HDF5Group {
    get throws {
      try Library.locked {
        let place = Place(file: path, object: "/")
        return HDF5Group(
          file: self, path: "/", handle: try place.handle(H5Gopen2(handle.id, "/", CH5P_DEFAULT()), H5Gclose))
      }
    }
  }

  /// Writes all that is pending and closes the file; whatever was opened from it is of no use any more.
  func close() throws {
    try Library.locked {
      try place.check(H5Fflush(handle.id, H5F_SCOPE_GLOBAL))
      try place.check(H5Fclose(handle.id))
    }
  }

  /// Hands all that was written to the operating system.
  public func flush() throws {
    try Library.locked { _ = try place.check(H5Fflush(handle.id, H5F_SCOPE_GLOBAL)) }
  }
}

/// The format of HDF5 1.10, whose metadata carry checksums; no locks, as finished files only change by being replaced.
private func fileAccess(_ place: Place) throws -> Handle {
  let access = try place.handle(H5Pcreate(CH5P_FILE_ACCESS()), H5Pclose)
  try place.check(H5Pset_libver_bounds(access.id, H5F_LIBVER_V110, H5F_LIBVER_V110))
  try place.check(H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG))
  try place.check(H5Pset_file_locking(access.id, false, true))
  return access
}

private func safeLinkAccess(_ place: Place) throws -> Handle {
  let access = try place.handle(H5Pcreate(CH5P_LINK_ACCESS()), H5Pclose)
  try place.check(H5Pset_nlinks(access.id, 16))
  try place.check(H5Pset_elink_cb(access.id, { _, _, _, _, _, _, _ in -1 }, nil))
  return access
}

/// What `errno` says.
func systemMessage() -> String { String(cString: strerror(errno)) }
