import DetectionCore
import Detectors
import NeuralNetwork
import Weights

/// The last classification layer of weights trained for some classes, made over for others: each anchor's row of a class
/// that the file knows by name is taken, the rows of new classes are those that the network starts with.
struct ClassificationRows {
  static let paths = (kernel: RetinaNet.classificationKernel, bias: RetinaNet.classificationBias)
  private let matching: ClassMatching
  private let weights: ModelWeights
  private let classNames: [String]

  init(_ weights: ModelWeights, classNames: [String]) {
    self.weights = weights
    self.classNames = classNames
    matching = ClassMatching(
      classNames, in: weights.metadata.classNames, numbersAreNames: weights.metadata.convention == Convention.native.name)
  }

  /// Whether the file's rows are the network's as they are.
  private var areTheSame: Bool { weights.metadata.classNames == classNames }

  /// Indexes of classes that the file does not know.
  var new: [Int] { matching.indexes.indices.filter { matching.indexes[$0] == nil } }

  /// - Returns: the weights with the layer for the network's classes, and what to say of it; the weights without that layer
  ///   where no class is known.
  func applied(to network: RetinaNet) throws -> (weights: ModelWeights, note: String?) {
    let layer = [Self.paths.kernel, Self.paths.bias].compactMap { weights.tensors[$0] }
    guard !areTheSame, !layer.isEmpty else { return (weights, nil) }
    var result = weights
    var fits = true
    for path in [Self.paths.kernel, Self.paths.bias] {
      guard let stored = weights.tensors[path] else { continue }
      let start = try network.parameters.tensor(path)
      let rows = rows(of: stored, start)
      if rows == nil { fits = false }
      if new.count < classNames.count, let rows {
        result.tensors[path] = rows
      } else if stored.shape == start.shape {
        // Another shape is left to be reported as such.
        result.tensors[path] = nil
      }
    }
    return (result, fits || new.count == classNames.count ? note : "the file's last classification layer is made for other anchors or channels")
  }

  /// [anchors a location · classes, ...] from a tensor with as many anchors and other classes.
  private func rows(of stored: Tensor, _ start: Tensor) -> Tensor? {
    let known = weights.metadata.classNames.count
    guard let count = stored.shape.first, known > 0, count % known == 0, Array(stored.shape.dropFirst()) == Array(start.shape.dropFirst()),
      start.shape[0] == count / known * classNames.count
    else { return nil }
    let width = stored.shape.dropFirst().reduce(1, *)
    var rows = start
    for anchor in 0..<count / known {
      for (classIndex, source) in matching.indexes.enumerated() {
        guard let source else { continue }
        let (from, to) = ((anchor * known + source) * width, (anchor * classNames.count + classIndex) * width)
        rows.values.replaceSubrange(to..<to + width, with: stored.values[from..<from + width])
      }
    }
    return rows
  }

  private var note: String {
    let file = weights.metadata.classNames
    if new.count == classNames.count {
      return "none of the file's \(ClassMatching.list(file)) is among \(ClassMatching.list(classNames)): the last classification layer starts anew"
    }
    if let note = matching.note("the data set", "the file") { return note }
    let used = Set(matching.indexes.compactMap { $0 })
    let taken = classNames.indices.filter { matching.indexes[$0] != nil }.map { classNames[$0] }
    let dropped = file.indices.filter { !used.contains($0) }.map { file[$0] }
    let groups = [("taken", taken), ("new", new.map { classNames[$0] }), ("dropped", dropped)].filter { !$0.1.isEmpty }
    return "classes by name: " + groups.map { "\($0.0) \(Self.shown($0.1))" }.joined(separator: "; ")
  }

  private static func shown(_ names: [String]) -> String {
    names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ... (\(names.count))" : "")
  }
}
