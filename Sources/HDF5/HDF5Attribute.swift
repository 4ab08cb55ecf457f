import CHDF5

extension HDF5Object {
  /// The attributes' names, sorted by their bytes.
  public var attributeNames: [String] {
    get throws {
      try Library.locked {
        var names: [String] = []
        let status = withUnsafeMutablePointer(to: &names) { pointer in
          H5Aiterate2(
            id, H5_INDEX_NAME, H5_ITER_INC, nil,
            { _, name, _, data in
              guard let name, let data else { return -1 }
              data.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
              return 0
            }, pointer)
        }
        try place.check(status)
        return names
      }
    }
  }

  public func hasAttribute(_ name: String) throws -> Bool {
    try Library.locked { try place.check(H5Aexists(id, try place.validName(name))) > 0 }
  }

  /// An attribute's value, whatever it is.
  /// - Throws: `HDF5Error`: `.missing` with the attributes that are there, `.tooLarge`, `.library` for damage.
  public func attribute(_ name: String) throws -> HDF5Value {
    try Library.locked {
      var place = place
      guard try place.check(H5Aexists(id, try place.validName(name))) > 0 else {
        let candidates = try attributeNames
        place.attribute = name
        throw place.error(.missing(name: name, candidates: candidates))
      }
      place.attribute = name
      let attribute = try place.handle(H5Aopen(id, name, CH5P_DEFAULT()), H5Aclose)
      let typeHandle = try place.handle(H5Aget_type(attribute.id), H5Tclose)
      let space = try place.handle(H5Aget_space(attribute.id), H5Sclose)
      let type = HDF5Type(typeHandle.id)
      guard let shape = try Space.shape(space.id, place) else { return .other(.other("nothing")) }
      let count = try checkSize(shape, type, elementBytes: H5Tget_size(typeHandle.id), place)
      switch type {
      case .integer: return .integers(try numbers(attribute.id, count, place), shape: shape)
      case .float, .bfloat16: return .floats(try numbers(attribute.id, count, place), shape: shape)
      case .fixedString(let bytes):
        return .strings(
          try fixedStrings(attribute.id, typeHandle.id, bytes: bytes, count, place), shape: shape)
      case .variableString:
        return .strings(
          try variableStrings(attribute.id, typeHandle.id, space.id, count, place), shape: shape)
      case .other: return .other(type)
      }
    }
  }

  private func checkSize(_ shape: [Int], _ type: HDF5Type, elementBytes: Int, _ place: Place) throws -> Int {
    var most = file.limits.attributeBytes
    // What an attribute holds is stored, if not always with itself.
    if file.size > 0 { most = min(most, file.size) }
    guard let count = elementCount(shape), elementBytes > 0, count <= most / elementBytes,
      type != .variableString || count <= file.limits.variableStrings
    else { throw place.error(.tooLarge("shape \(shape) of \(type) is more than the file can hold or the limits allow")) }
    return count
  }

  private func numbers<Number: HDF5Number>(_ attribute: hid_t, _ count: Int, _ place: Place) throws -> [Number] {
    guard count > 0 else { return [] }
    return try [Number](unsafeUninitializedCapacity: count) { buffer, initialized in
      try place.check(H5Aread(attribute, Number.hdf5Types.memory, buffer.baseAddress))
      initialized = count
    }
  }

  private func fixedStrings(
    _ attribute: hid_t, _ type: hid_t, bytes: Int, _ count: Int, _ place: Place
  ) throws -> [String] {
    guard count > 0 else { return [] }
    var buffer = [UInt8](repeating: 0, count: count * bytes)
    try place.check(H5Aread(attribute, type, &buffer))
    let padding = H5Tget_strpad(type)
    return (0..<count).map { index in
      var text = buffer[(index * bytes)..<((index + 1) * bytes)].prefix { $0 != 0 }
      if padding == H5T_STR_SPACEPAD { while text.last == UInt8(ascii: " ") { text.removeLast() } }
      return String(decoding: text, as: UTF8.self)
    }
  }

  private func variableStrings(
    _ attribute: hid_t, _ type: hid_t, _ space: hid_t, _ count: Int, _ place: Place
  ) throws -> [String] {
    guard count > 0 else { return [] }
    // Of the file's character set, as libhdf5 does not convert between them.
    let memoryType = try place.handle(H5Tcopy(CH5T_C_S1()), H5Tclose)
    try place.check(H5Tset_size(memoryType.id, CH5T_VARIABLE()))
    try place.check(H5Tset_cset(memoryType.id, H5Tget_cset(type)))
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    try place.check(H5Aread(attribute, memoryType.id, &pointers))
    defer { H5Dvlen_reclaim(memoryType.id, space, CH5P_DEFAULT(), &pointers) }
    return pointers.map { $0.map { String(cString: $0) } ?? "" }
  }
}

// MARK: Writing

extension HDF5Object {
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
        guard length <= file.limits.attributeBytes / max(1, values.count) else {
          throw place.error(.tooLarge("text beyond \(file.limits.attributeBytes) bytes"))
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
