import Foundation

/// A directory that goes with the value.
final class TemporaryDirectory {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("hdf5-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }
  var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }
}

func bytes(of path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }
func write(_ data: Data, to path: String) throws { try data.write(to: URL(fileURLWithPath: path)) }

/// Where the files that h5py made lie.
func goldenPath(_ name: String) -> String { "\(#filePath.dropLast("TemporaryDirectory.swift".count))Goldens/\(name).h5" }
func golden(_ name: String) throws -> Data { try bytes(of: goldenPath(name)) }
