import CHDF5

/// Shapes to and from libhdf5's dataspaces. Call with the lock held.
enum Space {
  /// The shape of a dataspace, [] for a scalar and nil for the null space.
  static func shape(_ space: hid_t, _ place: Place) throws -> [Int]? {
    switch H5Sget_simple_extent_type(space) {
    case H5S_SCALAR: return []
    case H5S_NULL: return nil
    default: break
    }
    let rank = Int(try place.check(H5Sget_simple_extent_ndims(space)))
    guard rank > 0 else { return [] }
    var extents = [hsize_t](repeating: 0, count: rank)
    try place.check(H5Sget_simple_extent_dims(space, &extents, nil))
    return try extents.map { extent in
      guard let value = Int(exactly: extent) else { throw place.error(.tooLarge("an extent of \(extent)")) }
      return value
    }
  }

  static func make(_ shape: [Int], _ place: Place) throws -> Handle {
    guard shape.allSatisfy({ $0 >= 0 }), shape.count <= 32 else {
      throw place.error(.invalid("\(shape) is not a shape"))
    }
    if shape.isEmpty { return try place.handle(H5Screate(H5S_SCALAR), H5Sclose) }
    return try place.handle(H5Screate_simple(Int32(shape.count), shape.map { hsize_t($0) }, nil), H5Sclose)
  }
}
