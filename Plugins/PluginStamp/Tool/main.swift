import CSwiftVersion
import Foundation

/// `PluginStampTool <Swift file to write> <source>...`, as the PluginStamp plugin calls it.
///
/// Swift modules without library evolution fit together only if compiled by the same compiler against the same
/// sources: layouts and tables are baked into their users. So the stamp names the compiler and a hash of the sources,
/// comments, indentation and empty lines left out.
let arguments = CommandLine.arguments.dropFirst()
guard let output = arguments.first, arguments.count > 1 else {
  FileHandle.standardError.write(Data("usage: PluginStampTool <Swift file to write> <source>...\n".utf8))
  exit(2)
}

/// Of the contract between host and `StrategyPlugin.Entry`.
let abi = 1
/// FNV-1a, 64 bits.
var hash: UInt64 = 0xcbf2_9ce4_8422_2325
do {
  for path in arguments.dropFirst() {
    for line in try String(contentsOfFile: path, encoding: .utf8).split(whereSeparator: \.isNewline) {
      let code = line.drop(while: \.isWhitespace)
      guard !code.isEmpty, !code.hasPrefix("//") else { continue }
      for byte in Array(code.utf8) + [0x0A] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
  }
  let version = Int(SWIFT_COMPILER_VERSION)
  let compiler = "\(version / 10000).\(version / 100 % 100).\(version % 100)"
  let digits = String(hash, radix: 16)
  let interface = String(repeating: "0", count: 16 - digits.count) + digits
  let source = """
    // Written by PluginStampTool.
    extension PluginStamp {
      @_alwaysEmitIntoClient
      public static var current: StaticString {
        "@(#)sampling-free plugin: ABI \(abi), Swift \(compiler), DetectionCore \(interface)\\n"
      }
    }

    """
  try Data(source.utf8).write(to: URL(fileURLWithPath: output), options: .atomic)
} catch {
  FileHandle.standardError.write(Data("PluginStampTool: \(error)\n".utf8))
  exit(1)
}
