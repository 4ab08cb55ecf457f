import CHDF5

/// Shapes to libhdf5's dataspaces. Call with the lock held.
enum Space {
  static func make(_ shape: [Int], _ place: Place) throws -> Handle {
    guard shape.allSatisfy({ $0 >= 0 }), shape.count <= 32 else {
      throw place.error(.invalid("\(shape) is not a shape"))
    }
    if shape.isEmpty { return try place.handle(H5Screate(H5S_SCALAR), H5Sclose) }
    return try place.handle(H5Screate_simple(Int32(shape.count), shape.map { hsize_t($0) }, nil), H5Sclose)
  }
}
