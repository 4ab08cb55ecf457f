import Datasets
import DetectionCore
import Detectors
import Parallel

extension TrainingStatistics {
  /// Counts N, N_f and N_j over a data set without decoding images, with the anchors and the matcher of training; each
  /// image padded for itself and not mirrored. Each of the processes counts its share of the images.
  /// - Throws: what the data set throws.
  public static func count(
    _ dataset: any DetectionDataset, network: RetinaNet, options: InputOptions, matcher: Matcher,
    processes: any ProcessGroup = SingleProcess()
  ) throws -> TrainingStatistics {
    let share = processes.share(of: dataset.count)
    let empty = TrainingStatistics(classCount: dataset.classNames.count)
    let chunks = Parallel.chunkCount(of: share.count)
    var parts = [Result<TrainingStatistics, any Error>](repeating: .success(empty), count: chunks)
    parts.withUnsafeMutableBufferPointer { parts in
      nonisolated(unsafe) let parts = parts
      nonisolated(unsafe) let network = network
      Parallel.forChunks(of: share.count) { chunk, range in
        let range = share.lowerBound + range.lowerBound..<share.lowerBound + range.upperBound
        parts[chunk] = Result { try count(dataset, range, network, options, matcher, from: empty) }
      }
    }
    var total = try parts.reduce(into: empty) { total, part in total += try part.get() }
    if processes.count > 1 { try total.add(over: processes) }
    return total
  }

  private static func count(
    _ dataset: any DetectionDataset, _ range: Range<Int>, _ network: RetinaNet, _ options: InputOptions,
    _ matcher: Matcher, from empty: TrainingStatistics
  ) throws -> TrainingStatistics {
    var statistics = empty
    var anchors: (size: [Int], boxes: [Box]) = ([], [])
    for index in range {
      let header = try dataset.header(at: index)
      let resized = options.resizedSize(width: header.width, height: header.height)
      let padded = options.paddedSize(of: [resized])
      if anchors.size != [padded.height, padded.width] {
        let levels = network.levels(height: padded.height, width: padded.width)
        anchors = ([padded.height, padded.width], network.anchorGenerator.anchors(for: levels))
      }
      let (sx, sy) = (Float(resized.width) / Float(header.width), Float(resized.height) / Float(header.height))
      let objects = header.annotations.filter { !$0.isCrowd }.compactMap {
        $0.resized(x: sx, y: sy, width: resized.width, height: resized.height)
      }
      let matches = matcher.match(anchors: anchors.boxes, boxes: objects.map(\.box))
      statistics.add(
        labels: matches.boxIndexes.map {
          $0 == AnchorMatches.between ? -1 : $0 == AnchorMatches.background ? 0 : Int32(objects[Int($0)].classIndex + 1)
        }, classIndexes: objects.map(\.classIndex))
    }
    return statistics
  }

  private mutating func add(over processes: any AllReduce) throws {
    var sums = ([anchorCount, imageCount] + foregroundCounts + objectCounts + imageCounts).map(Double.init)
    try processes.sum(&sums)
    let numbers = sums.map { Int($0) }
    func classes(_ part: Int) -> [Int] { Array(numbers[2 + part * classCount..<2 + (part + 1) * classCount]) }
    self = TrainingStatistics(
      anchorCount: numbers[0], foregroundCounts: classes(0), imageCount: numbers[1], objectCounts: classes(1),
      imageCounts: classes(2))
  }
}
