import CHDF5

extension HDF5Object {
  /// The attributes' names, sorted by their bytes; names that Swift holds to be equal are told apart by escapes.
  public var attributeNames: [String] {
    get throws {
      if let failure = record.attributesFailure { throw place.error(failure) }
      return record.attributes.map(\.name.shown)
    }
  }

  /// Whether it is there, or may be as the list of attributes is damaged: reading it tells.
  public func hasAttribute(_ name: String) -> Bool { record.attributesFailure != nil || record.attribute(name) != nil }

  /// An attribute's value, whatever it is.
  /// - Throws: `HDF5Error`: `.missing` with the attributes that are there, `.tooLarge`, `.library` for damage.
  public func attribute(_ name: String) throws -> HDF5Value {
    var place = place
    guard let attribute = record.attribute(name) else {
      let candidates = try attributeNames
      place.attribute = name
      throw place.error(.missing(name: name, candidates: candidates))
    }
    place.attribute = name
    switch attribute.value {
    case .success(let value): return try value.value(place)
    case .failure(let reason): throw place.error(reason)
    }
  }
}

extension Catalogue.Object {
  fileprivate func attribute(_ name: String) -> Catalogue.Attribute? {
    let bytes = Array(name.utf8)
    return attributes.first { $0.name.bytes == bytes } ?? attributes.first { $0.name.shown == name }
  }
}

extension Catalogue.RawValue {
  /// One text, if it is one.
  var text: String? {
    guard let value = try? value(Place(file: "")), case .strings(let texts, _) = value, texts.count == 1 else { return nil }
    return texts[0]
  }

  fileprivate func value(_ place: Place) throws -> HDF5Value {
    let type = HDF5Type(type)
    guard let shape else { return .other(.other("nothing")) }
    guard let count = elementCount(shape) else { throw place.error(.tooLarge("shape \(shape)")) }
    switch (type, payload) {
    case (.integer, .bytes), (.integer, .none): return .integers(try numbers(type, count, place), shape: shape)
    case (_, .bytes) where type.isNumber, (_, .none) where type.isNumber:
      return .floats(try numbers(type, count, place), shape: shape)
    case (.fixedString(let size), .bytes(let bytes)) where size > 0 && bytes.count / size == count:
      return .strings((0..<count).map { text(bytes[($0 * size)..<(($0 + 1) * size)]) }, shape: shape)
    case (.variableString, .texts(let texts)) where texts.count == count: return .strings(texts, shape: shape)
    case (.fixedString, .none) where count == 0, (.variableString, .none) where count == 0:
      return .strings([], shape: shape)
    case (.other, _): return .other(type)
    default: throw place.error(.library("damaged: its value is incomplete"))
    }
  }

  private func numbers<Number: HDF5Number>(_ type: HDF5Type, _ count: Int, _ place: Place) throws -> [Number] {
    guard count > 0 else { return [] }
    guard case .bytes(let bytes) = payload, self.type.byteCount > 0, bytes.count / self.type.byteCount == count else {
      throw place.error(.library("damaged: its value is incomplete"))
    }
    return [Number](unsafeUninitializedCapacity: count) { buffer, initialized in
      let target = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
      bytes.withUnsafeBytes { Conversion.convert($0, of: type, into: target) }
      initialized = count
    }
  }

  private func text(_ bytes: ArraySlice<UInt8>) -> String {
    var text = bytes.prefix { $0 != 0 }
    if type.textPadding == Int32(H5T_STR_SPACEPAD.rawValue) {
      while text.last == UInt8(ascii: " ") { text.removeLast() }
    }
    return FileName(Array(text)).shown
  }
}
