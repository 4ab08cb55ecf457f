import CDetectionKernels
import Parallel

/// The highest logits of a level that lie above their class's bound, found in one pass: a bounded buffer is filled, cut
/// down to its best by radix selection when full, and what lies below those is not looked at again. Linear in the number
/// of logits however low the bounds are.
struct CandidateSelection {
  struct Candidate: Hashable {
    let logit: Float
    /// anchor · classes + class.
    let element: Int
  }

  /// How many are selected at most.
  let limit: Int
  private let classes: Int
  /// The bounds, and some of them again, so that a vector may begin at any class.
  private let bounds: [Float]
  private static let isa = best_instruction_set()

  init(bounds: [Float], limit: Int) {
    classes = bounds.count
    self.limit = limit
    self.bounds = bounds.isEmpty ? [] : (0..<(bounds.count + 16)).map { bounds[$0 % bounds.count] }
  }

  /// By descending logit, equal ones by ascending element. What is not a number is above no bound.
  /// - Parameter logits: [anchors x classes], less than 2^32 values.
  func best(of logits: UnsafeBufferPointer<Float>, anchors: Range<Int>) -> [Candidate] {
    let limit = min(limit, anchors.count * classes)
    guard limit > 0, let values = logits.baseAddress else { return [] }
    precondition(anchors.upperBound * classes <= logits.count && logits.count < 1 << 32, "logits are [anchors x classes]")
    let minimumChunk = max(1, (1 << 16) / classes)
    let chunks = Parallel.chunkCount(of: anchors.count, minimumChunk: minimumChunk)
    var parts = [[UInt64]](repeating: [], count: chunks)
    parts.withUnsafeMutableBufferPointer { parts in
      nonisolated(unsafe) let (parts, values) = (parts, values)
      Parallel.forChunks(of: anchors.count, minimumChunk: minimumChunk) { chunk, range in
        let elements = (anchors.lowerBound + range.lowerBound) * classes..<(anchors.lowerBound + range.upperBound) * classes
        parts[chunk] = self.keys(values, elements, limit: limit)
      }
    }
    var keys = Array(parts.joined())
    keys.withUnsafeMutableBufferPointer { buffer in _ = detection_keep_largest(buffer.baseAddress, buffer.count, limit) }
    keys.removeLast(max(0, keys.count - limit))
    keys.sort(by: >)
    return keys.map { Candidate(logit: detection_key_value($0), element: Int(detection_key_position($0))) }
  }

  private func keys(_ values: UnsafePointer<Float>, _ elements: Range<Int>, limit: Int) -> [UInt64] {
    // Large enough that cutting down is rare.
    let capacity = min(elements.count, 4 * min(limit, elements.count) + 1024) + DETECTION_SELECTION_SLACK
    return [UInt64](unsafeUninitializedCapacity: capacity) { keys, count in
      var selection = detection_selection(
        keys: keys.baseAddress, count: 0, capacity: capacity, limit: limit, floor: -.infinity)
      bounds.withUnsafeBufferPointer {
        detection_select(
          Self.isa, values, elements.lowerBound, elements.upperBound, $0.baseAddress, classes, &selection)
      }
      count = selection.count
    }
  }
}
