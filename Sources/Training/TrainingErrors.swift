/// Training that blew up: the usual end of RetinaNet's plain cross entropy at too high a rate.
public struct TrainingDiverged: Error, CustomStringConvertible, Hashable {
  /// From 0.
  public let step: Int
  public let reason: String
  public var description: String { "training diverged at step \(step): \(reason)" }
}

/// A run that was asked to stop: its checkpoint is written, resuming ends with the same bytes as an uninterrupted run.
public struct TrainingInterrupted: Error, CustomStringConvertible, Hashable {
  /// Steps done.
  public let step: Int
  /// Steps wanted.
  public let steps: Int
  public let checkpoint: String
  public var description: String { "interrupted after step \(step) of \(steps), which \(checkpoint) holds" }
}

/// Why a run cannot begin or go on: its data, its output folder, or a checkpoint of something else.
public struct TrainingError: Error, CustomStringConvertible, Hashable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
