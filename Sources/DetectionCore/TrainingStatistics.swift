/// Counts over the training samples, from which the optimal bias, the class-adaptive thresholds (arXiv 1909.04868) and
/// weights of rare classes follow. Saved with the weights, so that inference needs no data set.
public struct TrainingStatistics: Hashable, Sendable, Codable {
  /// N: anchors counted over one epoch, those between the matcher's two thresholds left out.
  public var anchorCount: Int
  /// N_j: foreground anchors of each class.
  public var foregroundCounts: [Int]
  /// Images counted.
  public var imageCount: Int
  /// [classes]: objects of each class.
  public var objectCounts: [Int]
  /// [classes]: images with at least one object of the class.
  public var imageCounts: [Int]
  /// [classes]: thresholds that a calibrating thresholder found after training; nil where none did.
  public var calibratedThresholds: [Float]?

  /// - Parameters:
  ///   - objectCounts: nil for no objects of any class.
  ///   - imageCounts: likewise.
  public init(
    anchorCount: Int, foregroundCounts: [Int], imageCount: Int, objectCounts: [Int]? = nil, imageCounts: [Int]? = nil,
    calibratedThresholds: [Float]? = nil
  ) {
    self.anchorCount = anchorCount
    self.foregroundCounts = foregroundCounts
    self.imageCount = imageCount
    self.objectCounts = objectCounts ?? Array(repeating: 0, count: foregroundCounts.count)
    self.imageCounts = imageCounts ?? Array(repeating: 0, count: foregroundCounts.count)
    self.calibratedThresholds = calibratedThresholds
  }

  /// Of no samples yet.
  public init(classCount: Int) {
    self.init(anchorCount: 0, foregroundCounts: Array(repeating: 0, count: classCount), imageCount: 0)
  }

  /// N_f.
  public var foregroundCount: Int { foregroundCounts.reduce(0, +) }
  /// C.
  public var classCount: Int { foregroundCounts.count }

  public static func += (total: inout TrainingStatistics, part: TrainingStatistics) {
    func add(_ a: [Int], _ b: [Int]) -> [Int] { zip(a, b).map(+) }
    total.anchorCount += part.anchorCount
    total.imageCount += part.imageCount
    total.foregroundCounts = add(total.foregroundCounts, part.foregroundCounts)
    total.objectCounts = add(total.objectCounts, part.objectCounts)
    total.imageCounts = add(total.imageCounts, part.imageCounts)
  }
}
