import CDetectionKernels

extension ClassificationBatch {
  /// [anchors]: each anchor's unweighted cross entropy, summed over classes; 0 where it is ignored.
  /// - Throws: `StrategyError` naming a logit that is not finite.
  public func anchorLosses() throws -> [Float] {
    let instructionSet = best_instruction_set()
    var losses = [Float](repeating: 0, count: anchorCount)
    try losses.withUnsafeMutableBufferPointer { losses in
      nonisolated(unsafe) let losses = losses
      _ = try forChunks { anchors -> Void? in
        guard let labels = labels.baseAddress, let logits = logits.baseAddress, let losses = losses.baseAddress else { return () }
        let isFinite = fused_loss_per_anchor(
          instructionSet, logits + anchors.lowerBound * classCount, labels + anchors.lowerBound, anchors.count, classCount,
          losses + anchors.lowerBound)
        return isFinite ? () : nil
      }
    }
    return losses
  }
}

/// How many elements of a mini-batch have an error |p - t| in each of equally wide bins from 0 to 1.
public enum ErrorHistogram {
  public static let binCounts = 1...255

  /// - Parameter bins: how many, in `binCounts`.
  /// - Returns: [bins], over all processes; ignored anchors do not count.
  /// - Throws: `StrategyError` naming a logit that is not finite.
  public static func count(_ batch: ClassificationBatch, bins: Int) throws -> [Double] {
    precondition(binCounts.contains(bins), "\(bins) bins, must be \(binCounts)")
    let instructionSet = best_instruction_set()
    let parts = try batch.forChunks { anchors -> [Int64]? in
      guard let labels = batch.labels.baseAddress, let logits = batch.logits.baseAddress else { return nil }
      var counts = [Int64](repeating: 0, count: bins)
      let isFinite = fused_loss_count_bins(
        instructionSet, logits + anchors.lowerBound * batch.classCount, labels + anchors.lowerBound, anchors.count,
        batch.classCount, bins, &counts)
      return isFinite ? counts : nil
    }
    var total = [Double](repeating: 0, count: bins)
    for part in parts { for (i, count) in part.enumerated() { total[i] += Double(count) } }
    try batch.processes.sum(&total)
    return total
  }
}
