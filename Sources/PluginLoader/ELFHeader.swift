import Foundation

/// The beginning of a shared library (System V ABI, chapters 4 and 5; 64 bits, little endian).
enum ELFHeader {
  #if arch(x86_64)
    private static let machine = 62
  #elseif arch(arm64)
    private static let machine = 183
  #else
    private static let machine = -1
  #endif
  private static let machineNames = [3: "x86 (32 bits)", 40: "ARM (32 bits)", 62: "x86-64", 183: "AArch64", 243: "RISC-V"]

  /// What keeps a file from being loaded, before the dynamic linker trusts what its header says.
  static func unfitness(of file: Data) -> String? {
    guard file.count >= 64, file.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else {
      return "is no shared library (not an ELF file)"
    }
    let (type, its) = (integer(file, 16, bytes: 2), integer(file, 18, bytes: 2))
    // Class and byte order: 64 bits, little endian.
    guard file[file.startIndex + 4] == 2, file[file.startIndex + 5] == 1, its == machine else {
      return "is built for \(machineNames[its] ?? "machine type \(its)"), this program for \(machineNames[machine] ?? "another")"
    }
    switch type {
    case 3: break
    case 1: return "is an object file, not a shared library: link it with swiftc -emit-library"
    case 2: return "is a program, not a shared library"
    default: return "is no shared library (ELF type \(type))"
    }
    return isWhole(file) ? nil : "is damaged: parts of it that its header announces are missing"
  }

  /// Whether the file reaches to the end of every segment.
  private static func isWhole(_ file: Data) -> Bool {
    let (start, size, count) = (integer(file, 32, bytes: 8), integer(file, 54, bytes: 2), integer(file, 56, bytes: 2))
    guard start >= 0, size >= 56, start <= file.count - size * count else { return false }
    return (0..<count).allSatisfy { index in
      let header = start + index * size
      let (offset, length) = (integer(file, header + 8, bytes: 8), integer(file, header + 32, bytes: 8))
      return offset >= 0 && length >= 0 && offset <= file.count && length <= file.count - offset
    }
  }

  private static func integer(_ file: Data, _ offset: Int, bytes: Int) -> Int {
    (0..<bytes).reversed().reduce(0) { $0 << 8 | Int(file[file.startIndex + offset + $1]) }
  }
}
