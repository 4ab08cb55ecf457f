import Foundation
import TestSupport

/// Where the files that h5py made lie.
func goldenPath(_ name: String) -> String { "\(#filePath.dropLast("Goldens.swift".count))Goldens/\(name).h5" }
func golden(_ name: String) throws -> Data { try bytes(of: goldenPath(name)) }
func write(_ data: Data, to path: String) throws { try data.write(to: URL(fileURLWithPath: path)) }
