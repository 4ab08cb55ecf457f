import DetectionCore
import HDF5
import NeuralNetwork

/// Weights and checkpoints in files: in this package's layout (`NativeFile`) and in those of other frameworks.
public enum WeightsFile {
  /// Reads a model's weights, whatever framework they come from: content tells, not the file's name. A checkpoint serves
  /// as well.
  /// - Parameter classNames: one a class, instead of those in the file or of the convention's.
  /// - Returns: parameters under this package's names; metadata say which convention they follow and, for other
  ///   frameworks' detectors, hold the configuration that it implies.
  /// - Throws: `HDF5Error` naming the file and the object or attribute that is missing, damaged or of another kind;
  ///   `ConventionError` for parameters of no known model.
  public static func read(_ path: String, classNames: [String]? = nil) throws -> ModelWeights {
    let source = try WeightsSource.open(path)
    var weights = source.layout == .native ? try NativeFile.weights(in: source.root) : try ForeignModel(source).weights()
    guard var classNames else { return weights }
    let known = weights.metadata.classNames
    if known.first == ClassMatching.background, classNames.count == known.count - 1 { classNames.insert(known[0], at: 0) }
    guard classNames.count == known.count else {
      throw ConventionError("\(path): \(classNames.count) class names for \(known.count) classes")
    }
    // Names that the file brings are not given to other outputs.
    if source.layout == .native || source.root.hasAttribute(StateDictionary.Attribute.classNames) {
      let positions = Dictionary(zip(known, known.indices)) { first, _ in first }
      if let index = classNames.indices.first(where: { positions[classNames[$0]] ?? $0 != $0 && classNames[$0] != known[$0] }) {
        let name = classNames[index]
        throw ConventionError(
          "\(path): \"\(name)\" is given as name of output \(index), in the file it is output \(positions[name] ?? index), and output \(index) is \"\(known[index])\"")
      }
    }
    weights.metadata.classNames = classNames
    return weights
  }

  /// Reads a checkpoint.
  /// - Throws: `HDF5Error`, also for a file of weights alone.
  public static func readCheckpoint(_ path: String) throws -> Checkpoint {
    try NativeFile.checkpoint(in: HDF5File(reading: path).root)
  }

  /// Writes a model's weights; the file appears whole or not at all, and equal weights give equal bytes.
  /// - Parameter deflate: compress with this level, 1 (fast) to 9 (small); checksums are written in any case.
  /// - Throws: `HDF5Error`, after which what was at `path` is as before.
  public static func write(_ weights: ModelWeights, to path: String, deflate: Int? = nil) throws {
    try HDF5File.writeAtomically(to: path) { file in
      try NativeFile.write(weights, in: file.root, .checked(deflate: deflate))
    }
  }

  /// Writes a checkpoint, as `write(_:to:deflate:)` does.
  public static func write(_ checkpoint: Checkpoint, to path: String) throws {
    try HDF5File.writeAtomically(to: path) { file in try NativeFile.write(checkpoint, in: file.root) }
  }
}
