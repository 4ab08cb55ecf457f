import CHDF5

extension HDF5NewObject {
  /// Adds an attribute. Text is stored as UTF-8 of fixed length, so that it lies with the checksummed metadata.
  /// - Throws: `HDF5Error`: `.invalid` for text with a NUL, or a name that is taken.
  public func setAttribute(_ name: String, _ value: HDF5Value) throws {
    try Library.locked {
      var place = place
      place.attribute = name
      switch value {
      case .integers(let values, let shape): try write(name, Int.hdf5Types, values, values.count, shape, place)
      case .floats(let values, let shape): try write(name, Double.hdf5Types, values, values.count, shape, place)
      case .strings(let values, let shape):
        let length = max(1, values.map(\.utf8.count).max() ?? 1)
        guard length <= writer.limits.attributeBytes / max(1, values.count) else {
          throw place.error(.tooLarge("text beyond \(writer.limits.attributeBytes) bytes"))
        }
        var bytes = [UInt8](repeating: 0, count: length * values.count)
        for (index, text) in values.enumerated() {
          guard !text.utf8.contains(0) else { throw place.error(.invalid("text with a NUL cannot be written")) }
          bytes.replaceSubrange((index * length)..<(index * length + text.utf8.count), with: text.utf8)
        }
        let type = try place.handle(H5Tcopy(CH5T_C_S1()), H5Tclose)
        try place.check(H5Tset_size(type.id, length))
        try place.check(H5Tset_strpad(type.id, H5T_STR_NULLPAD))
        try place.check(H5Tset_cset(type.id, H5T_CSET_UTF8))
        try write(name, (type.id, type.id), bytes, values.count, shape, place)
      case .other(let type): throw place.error(.invalid("\(type) cannot be written"))
      }
    }
  }

  private func write<Element>(
    _ name: String, _ types: (memory: Int64, file: Int64), _ values: [Element], _ count: Int, _ shape: [Int],
    _ place: Place
  ) throws {
    guard elementCount(shape) == count else {
      throw place.error(.invalid("shape \(shape) does not hold \(count) values"))
    }
    guard try place.check(H5Aexists(id, try place.validName(name))) == 0 else {
      throw place.error(.invalid("the name is taken"))
    }
    let space = try Space.make(shape, place)
    let attribute = try place.handle(
      H5Acreate2(id, name, types.file, space.id, CH5P_DEFAULT(), CH5P_DEFAULT()), H5Aclose)
    guard count > 0 else { return }
    try values.withUnsafeBytes { bytes in
      _ = try place.check(H5Awrite(attribute.id, types.memory, bytes.baseAddress))
    }
  }
}
