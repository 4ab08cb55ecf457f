import CHDF5

/// What an element of a dataset or attribute is.
public enum HDF5Type: Hashable, Sendable, CustomStringConvertible {
  /// A whole number of 1, 2, 4 or 8 bytes.
  case integer(bytes: Int, signed: Bool, bigEndian: Bool)
  /// An IEEE binary number of 2, 4 or 8 bytes.
  case float(bytes: Int, bigEndian: Bool)
  /// The upper half of a 4-byte IEEE number.
  case bfloat16(bigEndian: Bool)
  /// Text of so many bytes.
  case fixedString(bytes: Int)
  case variableString
  /// Anything else, which is named but not read.
  case other(String)

  public var isNumber: Bool {
    switch self {
    case .integer, .float, .bfloat16: true
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
    case .fixedString(let bytes): "string of \(bytes) bytes"
    case .variableString: "string"
    case .other(let name): name
    }
  }

  /// Only layouts known to the last bit are numbers: libhdf5 converts others as a file claims, however odd the claim.
  init(_ type: hid_t) {
    let size = H5Tget_size(type)
    switch H5Tget_class(type) {
    case H5T_INTEGER:
      guard [1, 2, 4, 8].contains(size), Self.isPlain(type, size), let big = Self.isBigEndian(type) else {
        self = .other("unusual integer")
        return
      }
      self = .integer(bytes: size, signed: H5Tget_sign(type) == H5T_SGN_2, bigEndian: big)
    case H5T_FLOAT:
      self = Self.floatType(type, size) ?? .other("unusual float")
    case H5T_STRING:
      self = H5Tis_variable_str(type) > 0 ? .variableString : .fixedString(bytes: size)
    case H5T_ENUM: self = .other("enumeration")
    case H5T_COMPOUND: self = .other("compound")
    case H5T_ARRAY: self = .other("array")
    case H5T_VLEN: self = .other("variable-length list")
    case H5T_REFERENCE: self = .other("reference")
    case H5T_BITFIELD: self = .other("bit field")
    case H5T_OPAQUE: self = .other("opaque")
    case H5T_TIME: self = .other("time")
    default: self = .other("unknown type")
    }
  }

  private static func floatType(_ type: hid_t, _ size: Int) -> HDF5Type? {
    var sign = 0, exponent = 0, exponentSize = 0, mantissa = 0, mantissaSize = 0
    guard H5Tget_fields(type, &sign, &exponent, &exponentSize, &mantissa, &mantissaSize) >= 0,
      isPlain(type, size), let big = isBigEndian(type), mantissa == 0, exponent == mantissaSize,
      sign == size * 8 - 1, H5Tget_norm(type) == H5T_NORM_IMPLIED,
      H5Tget_ebias(type) == (1 << max(0, min(exponentSize, 16) - 1)) - 1
    else { return nil }
    switch (size, exponentSize, mantissaSize) {
    case (2, 5, 10), (4, 8, 23), (8, 11, 52): return .float(bytes: size, bigEndian: big)
    case (2, 8, 7): return .bfloat16(bigEndian: big)
    default: return nil
    }
  }

  /// Whether all bits of the element are the number's.
  private static func isPlain(_ type: hid_t, _ size: Int) -> Bool {
    H5Tget_precision(type) == size * 8 && H5Tget_offset(type) == 0
  }

  private static func isBigEndian(_ type: hid_t) -> Bool? {
    switch H5Tget_order(type) {
    case H5T_ORDER_LE: false
    case H5T_ORDER_BE: true
    default: nil
    }
  }
}

/// A Swift number that datasets hold: what it is in memory and in the files written.
public protocol HDF5Number: Sendable {
  /// Whether whole numbers only convert to it.
  static var isInteger: Bool { get }
  /// libhdf5's identifiers of the type in memory and in a file.
  static var hdf5Types: (memory: Int64, file: Int64) { get }
}

extension Float: HDF5Number {
  public static var isInteger: Bool { false }
  public static var hdf5Types: (memory: Int64, file: Int64) {
    Library.locked { (CH5T_NATIVE_FLOAT(), CH5T_IEEE_F32LE()) }
  }
}

extension Double: HDF5Number {
  public static var isInteger: Bool { false }
  public static var hdf5Types: (memory: Int64, file: Int64) {
    Library.locked { (CH5T_NATIVE_DOUBLE(), CH5T_IEEE_F64LE()) }
  }
}

extension Int: HDF5Number {
  public static var isInteger: Bool { true }
  public static var hdf5Types: (memory: Int64, file: Int64) {
    Library.locked { (CH5T_NATIVE_INT64(), CH5T_STD_I64LE()) }
  }
}
