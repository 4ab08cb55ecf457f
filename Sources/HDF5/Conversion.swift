/// Numbers as stored to numbers in memory.
enum Conversion {
  /// Converts `target.count` elements.
  /// - Precondition: `type` is a number and `source` holds as many elements.
  static func convert<Number: HDF5Number>(
    _ source: UnsafeRawBufferPointer, of type: HDF5Type, into target: UnsafeMutableBufferPointer<Number>
  ) {
    switch type {
    case .integer(let bytes, let signed, let big):
      switch (bytes, signed) {
      case (1, true): integers(source, Int8.self, big, target)
      case (1, false): integers(source, UInt8.self, big, target)
      case (2, true): integers(source, Int16.self, big, target)
      case (2, false): integers(source, UInt16.self, big, target)
      case (4, true): integers(source, Int32.self, big, target)
      case (4, false): integers(source, UInt32.self, big, target)
      case (8, true): integers(source, Int64.self, big, target)
      default: integers(source, UInt64.self, big, target)
      }
    case .float(bytes: 2, let big): map(source, UInt16.self, big, target) { Number(converting: float(half: $0)) }
    case .float(bytes: 4, let big): map(source, UInt32.self, big, target) { Number(converting: Float(bitPattern: $0)) }
    case .float(_, let big): map(source, UInt64.self, big, target) { Number(converting: Double(bitPattern: $0)) }
    case .bfloat16(let big):
      map(source, UInt16.self, big, target) { Number(converting: Float(bitPattern: UInt32($0) << 16)) }
    case .float8(exponentBits: 5): map(source, UInt8.self, false, target) { Number(converting: float(half: UInt16($0) << 8)) }
    case .float8: map(source, UInt8.self, false, target) { Number(converting: float(e4m3: $0)) }
    default: preconditionFailure("\(type) is no number")
    }
  }

  private static func integers<Stored: FixedWidthInteger, Number: HDF5Number>(
    _ source: UnsafeRawBufferPointer, _ stored: Stored.Type, _ bigEndian: Bool,
    _ target: UnsafeMutableBufferPointer<Number>
  ) {
    map(source, stored, bigEndian, target) { Number(converting: $0) }
  }

  @inline(__always)
  private static func map<Stored: FixedWidthInteger, Number>(
    _ source: UnsafeRawBufferPointer, _ stored: Stored.Type, _ bigEndian: Bool,
    _ target: UnsafeMutableBufferPointer<Number>, _ transform: (Stored) -> Number
  ) {
    let size = MemoryLayout<Stored>.size
    if bigEndian {
      for i in target.indices {
        target[i] = transform(Stored(bigEndian: source.loadUnaligned(fromByteOffset: i * size, as: Stored.self)))
      }
    } else {
      for i in target.indices {
        target[i] = transform(Stored(littleEndian: source.loadUnaligned(fromByteOffset: i * size, as: Stored.self)))
      }
    }
  }

  /// As `float(half:)`, by 2^120.
  @inline(__always)
  private static func float(e4m3: UInt8) -> Float {
    let magnitude = e4m3 & 0x7f
    let value = magnitude == 0x7f ? Float.nan : Float(bitPattern: UInt32(magnitude) << 20) * 0x1p120
    return e4m3 < 0x80 ? value : -value
  }

  /// IEEE binary16: shifted into a binary32's place and scaled by 2^112, which makes up for the exponents' biases and
  /// normalises subnormal numbers.
  @inline(__always)
  private static func float(half: UInt16) -> Float {
    let sign = UInt32(half & 0x8000) << 16
    let magnitude = UInt32(half & 0x7fff) << 13
    let scaled = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    // Infinity and NaN have all bits of the exponent set in either format.
    return Float(bitPattern: (half & 0x7c00 == 0x7c00 ? magnitude | 0x7f80_0000 : scaled) | sign)
  }
}
