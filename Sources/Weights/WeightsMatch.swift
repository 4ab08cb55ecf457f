import NeuralNetwork
import Suggestions

/// Which of a file's tensors a model takes, and what becomes of the rest.
public struct WeightsMatch: Hashable, Sendable, CustomStringConvertible {
  /// A tensor of the file that the model does not take.
  public struct Skipped: Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
      /// The model has no such parameter; `nearest` has a similar name.
      case unexpected(nearest: String?)
      case shape(found: [Int], expected: [Int])
    }
    public var path: String
    public var reason: Reason

    public var description: String {
      switch reason {
      case .unexpected(let nearest):
        "\(path): the model has no such parameter" + (nearest.map { "; did you mean \"\($0)\"?" } ?? "")
      case .shape(let found, let expected): "\(path): shape \(found) where the model has \(expected)"
      }
    }
  }

  /// What fits, by path.
  public var tensors: [String: Tensor]
  /// Sorted by path.
  public var skipped: [Skipped]
  /// Parameters of the model that no tensor was found for, sorted: they keep their initial values.
  public var initialized: [String]

  /// The paths of what fits, sorted.
  public var loaded: [String] { tensors.keys.sorted() }
  /// Whether every parameter was found and nothing was left over.
  public var isComplete: Bool { skipped.isEmpty && initialized.isEmpty }

  public var description: String { ([counts] + details).joined(separator: "\n") }

  /// The counts and the first few differences: for errors.
  public func summary(lines: Int = 4) -> String {
    let rest = details.count - lines
    return ([counts] + details.prefix(lines) + (rest > 0 ? ["  ... and \(rest) more"] : [])).joined(separator: "\n")
  }

  private var counts: String {
    "loaded \(tensors.count), skipped \(skipped.count), newly initialised \(initialized.count)"
  }

  private var details: [String] {
    skipped.map { "  skipped \($0)" } + initialized.map { "  newly initialised \($0)" }
  }
}

extension ModelWeights {
  /// Finds the tensors for a model: those whose path and shape agree.
  /// - Parameter expected: the shape of each of the model's parameters by path.
  public func match(expected: [String: [Int]]) -> WeightsMatch {
    var match = WeightsMatch(tensors: [:], skipped: [], initialized: [])
    let missing = expected.keys.filter { tensors[$0] == nil }.sorted()
    for path in tensors.keys.sorted() {
      guard let tensor = tensors[path] else { continue }
      switch expected[path] {
      case tensor.shape?: match.tensors[path] = tensor
      case let shape?: match.skipped.append(.init(path: path, reason: .shape(found: tensor.shape, expected: shape)))
      case nil:
        match.skipped.append(
          .init(path: path, reason: .unexpected(nearest: Suggestions.nearest(to: path, in: missing))))
      }
    }
    match.skipped += leftovers.map { .init(path: $0, reason: .unexpected(nearest: nil)) }
    match.initialized = expected.keys.filter { match.tensors[$0] == nil }.sorted()
    return match
  }
}
