/// Training that blew up: the usual end of RetinaNet's plain cross entropy at too high a rate.
public struct TrainingDiverged: Error, CustomStringConvertible, Hashable {
  /// From 0.
  public let step: Int
  public let reason: String
  public var description: String { "training diverged at step \(step): \(reason)" }
}

/// Why a run cannot begin or go on: its data, its output folder, or a checkpoint of something else.
public struct TrainingError: Error, CustomStringConvertible, Hashable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
