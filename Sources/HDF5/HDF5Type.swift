import CHDF5
import Suggestions

/// What an element of a dataset or attribute is.
public enum HDF5Type: Hashable, Sendable, CustomStringConvertible {
  /// A whole number of 1, 2, 4 or 8 bytes.
  case integer(bytes: Int, signed: Bool, bigEndian: Bool)
  /// An IEEE binary number of 2, 4 or 8 bytes.
  case float(bytes: Int, bigEndian: Bool)
  /// The upper half of a 4-byte IEEE number.
  case bfloat16(bigEndian: Bool)
  /// A number of one byte with so many bits of exponent: 5 as IEEE's, or 4, which has one NaN and no infinity (Micikevicius
  /// et al., arXiv 2209.05433).
  case float8(exponentBits: Int)
  /// Text of so many bytes.
  case fixedString(bytes: Int)
  case variableString
  /// Anything else, which is named but not read.
  case other(String)

  public var isNumber: Bool {
    switch self {
    case .integer, .float, .bfloat16, .float8: true
    default: false
    }
  }

  public var isString: Bool {
    switch self {
    case .fixedString, .variableString: true
    default: false
    }
  }

  public var description: String {
    switch self {
    case .integer(let bytes, let signed, let big): "\(signed ? "int" : "uint")\(bytes * 8)\(big ? " big-endian" : "")"
    case .float(let bytes, let big): "float\(bytes * 8)\(big ? " big-endian" : "")"
    case .bfloat16(let big): "bfloat16\(big ? " big-endian" : "")"
    case .float8(let exponentBits): "float8 e\(exponentBits)m\(7 - exponentBits)"
    case .fixedString(let bytes): "string of \(bytes) bytes"
    case .variableString: "string"
    case .other(let name): name
    }
  }

  /// Only layouts known to the last bit are numbers, however odd a file's claim.
  /// - Parameter dtype: what an attribute beside opaque values says they are, as Keras 3 writes it.
  init(_ record: TypeRecord, dtype: String? = nil) {
    let size = record.byteCount
    switch H5T_class_t(rawValue: record.typeClass) {
    case H5T_INTEGER:
      guard [1, 2, 4, 8].contains(size), record.isPlain, let big = record.isBigEndian else {
        self = .other("unusual integer")
        return
      }
      self = .integer(bytes: size, signed: record.sign == Int32(H5T_SGN_2.rawValue), bigEndian: big)
    case H5T_FLOAT: self = record.floatType ?? .other("unusual float")
    case H5T_STRING: self = record.isVariableText ? .variableString : .fixedString(bytes: size)
    case H5T_ENUM: self = .other("enumeration")
    case H5T_COMPOUND: self = .other("compound")
    case H5T_ARRAY: self = .other("array")
    case H5T_VLEN: self = .other("variable-length list")
    case H5T_REFERENCE: self = .other("reference")
    case H5T_BITFIELD: self = .other("bit field")
    case H5T_OPAQUE: self = record.opaqueType(dtype)
    case H5T_TIME: self = .other("time")
    default: self = .other("unknown type")
    }
  }
}

/// A type as libhdf5 tells it.
struct TypeRecord: Hashable, Sendable {
  var typeClass: Int32
  var byteCount: Int
  var order: Int32
  var sign: Int32
  /// Bits that carry the value.
  var precision: Int
  var offset: Int
  /// Of a float: positions of sign and exponent, size of the exponent, position and size of the mantissa.
  var fields: [Int]
  var normalization: Int32
  var bias: Int
  var isVariableText: Bool
  var textPadding: Int32
  /// Of opaque values, or empty.
  var tag: String

  /// Whether all bits of the element are the number's.
  fileprivate var isPlain: Bool { precision == byteCount * 8 && offset == 0 }

  fileprivate var isBigEndian: Bool? {
    switch H5T_order_t(rawValue: order) {
    case H5T_ORDER_LE: false
    case H5T_ORDER_BE: true
    default: nil
    }
  }

  fileprivate var floatType: HDF5Type? {
    let (sign, exponent, exponentSize, mantissa, mantissaSize) = (fields[0], fields[1], fields[2], fields[3], fields[4])
    guard [1, 2, 4, 8].contains(byteCount), isPlain, let big = isBigEndian, mantissa == 0, exponent == mantissaSize,
      sign == byteCount * 8 - 1, normalization == Int32(H5T_NORM_IMPLIED.rawValue),
      bias == (1 << max(0, min(exponentSize, 16) - 1)) - 1
    else { return nil }
    switch (byteCount, exponentSize, mantissaSize) {
    case (2, 5, 10), (4, 8, 23), (8, 11, 52): return .float(bytes: byteCount, bigEndian: big)
    case (2, 8, 7): return .bfloat16(bigEndian: big)
    case (1, 4, 3), (1, 5, 2): return .float8(exponentBits: exponentSize)
    default: return nil
    }
  }

  /// numpy has no bfloat16 of its own, so that h5py stores it as bytes without a meaning.
  fileprivate func opaqueType(_ dtype: String?) -> HDF5Type {
    let name = (dtype ?? tag).lowercased()
    switch (byteCount, name) {
    case (2, "bfloat16"), (2, ""), (2, "numpy:<v2"), (2, "numpy:|v2"): return .bfloat16(bigEndian: false)
    case (1, "float8_e4m3fn"): return .float8(exponentBits: 4)
    case (1, "float8_e5m2"): return .float8(exponentBits: 5)
    default:
      let size = byteCount == 1 ? "1 byte" : "\(byteCount) bytes"
      return .other(name.isEmpty ? "opaque values of \(size)" : "opaque values of \(size), \"\((dtype ?? tag).escapedForDisplay)\"")
    }
  }
}

/// A Swift number that datasets hold: what it is in the files written, and what files' numbers become.
public protocol HDF5Number: Sendable {
  /// Whether whole numbers only convert to it.
  static var isInteger: Bool { get }
  /// libhdf5's identifiers of the type in memory and in a file.
  static var hdf5Types: (memory: Int64, file: Int64) { get }
  init(converting value: Float)
  init(converting value: Double)
  /// Out of range becomes the nearest.
  init(converting value: some FixedWidthInteger)
}

extension Float: HDF5Number {
  public static var isInteger: Bool { false }
  public static var hdf5Types: (memory: Int64, file: Int64) {
    Library.locked { (CH5T_NATIVE_FLOAT(), CH5T_IEEE_F32LE()) }
  }
  @inlinable public init(converting value: Float) { self = value }
  @inlinable public init(converting value: Double) { self.init(value) }
  @inlinable public init(converting value: some FixedWidthInteger) { self.init(value) }
}

extension Double: HDF5Number {
  public static var isInteger: Bool { false }
  public static var hdf5Types: (memory: Int64, file: Int64) {
    Library.locked { (CH5T_NATIVE_DOUBLE(), CH5T_IEEE_F64LE()) }
  }
  @inlinable public init(converting value: Float) { self.init(value) }
  @inlinable public init(converting value: Double) { self = value }
  @inlinable public init(converting value: some FixedWidthInteger) { self.init(value) }
}

extension Int: HDF5Number {
  public static var isInteger: Bool { true }
  public static var hdf5Types: (memory: Int64, file: Int64) {
    Library.locked { (CH5T_NATIVE_INT64(), CH5T_STD_I64LE()) }
  }
  // Floats are not read as whole numbers.
  @inlinable public init(converting value: Float) { self.init(converting: Double(value)) }
  @inlinable public init(converting value: Double) { self = Int(exactly: value.rounded(.towardZero)) ?? 0 }
  @inlinable public init(converting value: some FixedWidthInteger) { self.init(clamping: value) }
}
