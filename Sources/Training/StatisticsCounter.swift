import Datasets
import DetectionCore
import Detectors
import Parallel

extension TrainingStatistics {
  /// Counts N, N_f and N_j over a data set without decoding images, with the anchors and the matcher of training.
  /// - Throws: what the data set throws.
  public static func count(
    _ dataset: any DetectionDataset, network: RetinaNet, options: InputOptions, matcher: Matcher
  ) throws -> TrainingStatistics {
    let empty = TrainingStatistics(
      anchorCount: 0, foregroundCounts: Array(repeating: 0, count: dataset.classNames.count), imageCount: 0)
    let chunks = Parallel.chunkCount(of: dataset.count)
    var parts = [Result<TrainingStatistics, any Error>](repeating: .success(empty), count: chunks)
    parts.withUnsafeMutableBufferPointer { parts in
      nonisolated(unsafe) let parts = parts
      nonisolated(unsafe) let network = network
      Parallel.forChunks(of: dataset.count) { chunk, range in
        parts[chunk] = Result { try count(dataset, range, network, options, matcher, from: empty) }
      }
    }
    return try parts.reduce(into: empty) { total, part in
      let part = try part.get()
      total.anchorCount += part.anchorCount
      total.imageCount += part.imageCount
      for (i, count) in part.foregroundCounts.enumerated() { total.foregroundCounts[i] += count }
    }
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
      let objects = header.annotations.filter { !$0.isCrowd }
      let matches = matcher.match(
        anchors: anchors.boxes,
        boxes: objects.map { Box(x1: $0.box.x1 * sx, y1: $0.box.y1 * sy, x2: $0.box.x2 * sx, y2: $0.box.y2 * sy) })
      statistics.add(
        labels: matches.boxIndexes.map {
          $0 == AnchorMatches.between ? -1 : $0 == AnchorMatches.background ? 0 : Int32(objects[Int($0)].classIndex + 1)
        })
    }
    return statistics
  }
}
