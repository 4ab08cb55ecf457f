import Suggestions

/// What went wrong, in which file, at which object and attribute.
public struct HDF5Error: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Error, Hashable, Sendable {
    /// No file, or no ordinary file, at the path.
    case missingFile(String)
    /// The file does not start as an HDF5 file does.
    case notHDF5
    /// No such group, dataset or attribute; `candidates` are there instead.
    case missing(name: String, candidates: [String])
    /// A group where a dataset was asked for, text where numbers were, another rank.
    case mismatch(expected: String, found: String)
    /// A claimed size beyond the limits or beyond what the file can hold.
    case tooLarge(String)
    /// A feature not followed on purpose, as it reaches outside the file or needs foreign code.
    case refused(String)
    /// A name or value that cannot be written.
    case invalid(String)
    /// A system call failed.
    case system(String)
    /// libhdf5's own account, innermost failure first.
    case library(String)
  }

  public var file: String
  /// The object's path inside the file.
  public var object: String?
  public var attribute: String?
  public var reason: Reason

  public init(file: String, object: String? = nil, attribute: String? = nil, reason: Reason) {
    self.file = file
    self.object = object
    self.attribute = attribute
    self.reason = reason
  }

  public var description: String {
    var place = file
    if let object { place += ": \(object.escapedForDisplay)" }
    if let attribute { place += ", attribute \"\(attribute.escapedForDisplay)\"" }
    return "\(place): \(reason)"
  }
}

extension HDF5Error.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missingFile(let why): return why
    case .notHDF5: return "not an HDF5 file"
    case .missing(let name, let candidates):
      let shown = candidates.prefix(12).map { "\"\($0.escapedForDisplay)\"" }.joined(separator: ", ")
      let there = candidates.isEmpty ? "none" : shown + (candidates.count > 12 ? ", ..." : "")
      return "no \"\(name.escapedForDisplay)\" here\(Suggestions.hint(for: name, in: candidates)) (there: \(there))"
    case .mismatch(let expected, let found): return "expected \(expected), found \(found)"
    case .tooLarge(let what): return what
    case .refused(let what): return "refused: \(what)"
    case .invalid(let what): return what
    case .system(let what): return what
    case .library(let what): return "HDF5: \(what)"
    }
  }
}
