import Evaluation

/// Follows a training run: a progress bar, a log, a plot.
public protocol TrainingObserver {
  /// A line worth reading: statistics, what was loaded, where files went.
  mutating func note(_ message: String)
  mutating func didStep(_ report: StepReport, of steps: Int)
  /// - Parameter step: steps done.
  mutating func didEvaluate(_ result: COCOResult, step: Int)
}
