import Parallel

/// An image's anchors, as hard sampling chooses among them. Ignored ones are in neither list.
public struct ImageAnchors: Sendable {
  /// From 0 in the batch.
  public let image: Int
  /// From 0 in the mini-batch of all processes: what random draws follow from.
  public let number: Int
  /// Indexes into the batch, ascending.
  public let foreground: [Int]
  public let background: [Int]
}

extension Weighting {
  /// Hard sampling: the anchors that `choose` picks weigh 1, all others 0. The sum is divided by their number.
  /// - Parameter choose: picks among one image's anchors; called for several images at once.
  public static func sampled(
    from batch: ClassificationBatch, _ choose: (ImageAnchors) -> [Int]
  ) -> Weighting {
    var weights = [Float](repeating: 0, count: batch.anchorCount)
    var counts = [Int](repeating: 0, count: batch.imageCount)
    weights.withUnsafeMutableBufferPointer { weights in
      counts.withUnsafeMutableBufferPointer { counts in
        nonisolated(unsafe) let (weights, counts) = (weights, counts)
        Parallel.forChunks(of: batch.imageCount) { _, images in
          for image in images {
            let picked = choose(batch.anchors(ofImage: image))
            for anchor in picked { weights[anchor] = 1 }
            counts[image] = picked.count
          }
        }
      }
    }
    return Weighting(anchorWeights: weights, normalizer: Double(counts.reduce(0, +)))
  }
}

extension ClassificationBatch {
  public func anchors(ofImage image: Int) -> ImageAnchors {
    var (foreground, background): ([Int], [Int]) = ([], [])
    background.reserveCapacity(imageOffsets[image + 1] - imageOffsets[image])
    for anchor in imageOffsets[image]..<imageOffsets[image + 1] {
      if labels[anchor] > 0 { foreground.append(anchor) } else if labels[anchor] == 0 { background.append(anchor) }
    }
    return ImageAnchors(image: image, number: imageNumbers[image], foreground: foreground, background: background)
  }
}
