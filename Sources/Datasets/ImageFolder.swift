import Files
import Foundation
import Suggestions

/// The folder that a data set's image files are named in, and what may be opened by these names.
struct ImageFolder {
  /// As its user named it.
  let path: String
  /// Without symbolic links.
  private let resolved: String
  private let allowsOutsideFiles: Bool

  /// - Throws: `COCODatasetError.unreadable` unless it is a folder.
  init(_ path: String, allowsOutsideFiles: Bool) throws {
    func unreadable(_ reason: String) -> COCODatasetError { .unreadable(file: path, reason: reason) }
    guard let resolved = Self.resolve(path) else { throw unreadable(String(cString: strerror(errno))) }
    var status = stat()
    guard stat(resolved, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { throw unreadable("is not a folder") }
    self.path = path
    self.resolved = resolved
    self.allowsOutsideFiles = allowsOutsideFiles
  }

  /// The path of an image. Backslashes stand for slashes, and accented letters for themselves in whichever of Unicode's ways
  /// they are written, where there is no file of the name as it is.
  /// - Throws: `Missing`, or `Unusable` for what is not to be opened.
  func path(of name: String) throws -> String {
    if name.isEmpty { throw Unusable("file_name is empty") }
    if name.utf8.contains(0) { throw Unusable("file_name holds a zero byte") }
    if let scheme = name.firstRange(of: "://"), name[..<scheme.lowerBound].allSatisfy({ $0.isLetter || $0.isNumber }) {
      throw Unusable("file_name is an address: images are read from files, so download it first")
    }
    guard let found = candidates(name).first(where: { access($0, F_OK) == 0 }) else { throw Missing(path: full(name)) }
    do throws(FileError) { try OrdinaryFile.check(found) } catch { throw Unusable("\(found) \(error.reason)") }
    if !allowsOutsideFiles, !isInside(found) {
      throw Unusable(
        "\(found) lies outside the image folder\(Self.resolve(found).map { $0 == found ? "" : " (it is \($0))" } ?? "");"
          + " set data.allowOutsideFiles: true if you trust the file's author")
    }
    return found
  }

  struct Unusable: Error, CustomStringConvertible {
    let description: String

    init(_ reason: String) { description = reason }
  }

  struct Missing: Error, CustomStringConvertible {
    let path: String

    var description: String { "there is no file \(ImageFolder.shown(path))" }
  }

  /// What may be meant by the name of a file that is not there.
  func hint(for name: String) -> String {
    let parts = full(name).split(separator: "/", omittingEmptySubsequences: false)
    let (folder, last) = (parts.dropLast().joined(separator: "/"), String(parts.last ?? ""))
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "/" : folder) else {
      return ", nor a folder \(Self.shown(folder))"
    }
    if let same = names.filter({ $0.lowercased() == last.lowercased() }).min() {
      return "; did you mean \"\(same)\"? Capitals matter"
    }
    return Suggestions.hint(for: last, in: names.sorted().prefix(20_000))
  }

  private func full(_ name: String) -> String { name.hasPrefix("/") ? name : "\(path)/\(name)" }

  private func candidates(_ name: String) -> [String] {
    var names = [name]
    if name.contains("\\") { names.append(name.replacingOccurrences(of: "\\", with: "/")) }
    if !name.utf8.allSatisfy({ $0 < 0x80 }) {
      names += [name.precomposedStringWithCanonicalMapping, name.decomposedStringWithCanonicalMapping]
    }
    return names.flatMap { $0.hasPrefix("/") ? [$0, path + $0] : ["\(path)/\($0)"] }
  }

  private func isInside(_ path: String) -> Bool {
    guard let file = Self.resolve(path) else { return false }
    return file.hasPrefix(resolved.hasSuffix("/") ? resolved : resolved + "/")
  }

  /// On one line.
  static func shown(_ name: String) -> String {
    name.unicodeScalars.reduce(into: "") { text, scalar in
      text += scalar.value < 0x20 || scalar.value == 0x7F ? scalar.escaped(asASCII: true) : String(scalar)
    }
  }

  private static func resolve(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
