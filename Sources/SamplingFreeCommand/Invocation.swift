/// The command line that this process was started with, for lines that tell how to go on.
struct Invocation {
  private var arguments = CommandLine.arguments
  private var launcher = ""

  /// - Parameter processes: how many `mpirun` started.
  init(processes: Int = 1) { launcher = processes > 1 ? "mpirun -n \(processes) " : "" }

  /// The same run, from its checkpoint.
  /// - Parameter output: another folder for it.
  func resuming(in output: String? = nil) -> Invocation {
    var copy = self
    copy.arguments = arguments.filter { $0 != "--overwrite" && $0 != "--resume" } + ["--resume"]
    if let output { copy.arguments += ["--set", "train.output=\(output)"] }
    return copy
  }

  /// As a shell reads it.
  var text: String { launcher + arguments.map(Self.quoted).joined(separator: " ") }

  static func quoted(_ text: String) -> String {
    let isPlain = !text.isEmpty && text.utf8.allSatisfy {
      switch $0 {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      default: "-_./=,:+%@".utf8.contains($0)
      }
    }
    return isPlain ? text : "'\(text.replacing("'", with: #"'\''"#))'"
  }
}
