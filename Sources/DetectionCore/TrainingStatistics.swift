/// Foreground and background counts over the training samples, from which the optimal bias and the class-adaptive
/// thresholds follow (arXiv 1909.04868). Saved with the weights, so that inference needs no data set.
public struct TrainingStatistics: Hashable, Sendable, Codable {
  /// N: anchors counted over one epoch, those between the matcher's two thresholds left out.
  public var anchorCount: Int
  /// N_j: foreground anchors of each class.
  public var foregroundCounts: [Int]
  /// Images counted.
  public var imageCount: Int

  public init(anchorCount: Int, foregroundCounts: [Int], imageCount: Int) {
    self.anchorCount = anchorCount
    self.foregroundCounts = foregroundCounts
    self.imageCount = imageCount
  }

  /// N_f.
  public var foregroundCount: Int { foregroundCounts.reduce(0, +) }
  /// C.
  public var classCount: Int { foregroundCounts.count }
}
