import CDetectionKernels
import DetectionCore
import Foundation
import Testing

/// The vectorised kernels, on every instruction set of this machine, against their definitions.
@Suite struct DetectionKernelTests {
  static func select(
    _ isa: instruction_set, _ values: [Float], bounds: [Float], limit: Int, capacity: Int
  ) -> [(value: Float, position: Int)] {
    let pattern = (0..<(bounds.count + 16)).map { bounds[$0 % bounds.count] }
    var keys = [UInt64](repeating: 0, count: capacity)
    let count = keys.withUnsafeMutableBufferPointer { keys in
      var selection = detection_selection(
        keys: keys.baseAddress, count: 0, capacity: capacity, limit: limit, floor: -.infinity)
      detection_select(isa, values, 0, values.count, pattern, bounds.count, &selection)
      return detection_keep_largest(keys.baseAddress, selection.count, limit)
    }
    return keys[..<count].sorted(by: >).map { (detection_key_value($0), Int(detection_key_position($0))) }
  }

  /// With frequent ties, signed zeros, infinities and NaN among the values.
  @Test(arguments: 0..<40)
  func theSelectionIsThatOfAFullSort(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let columns = [1, 2, 3, 7, 16, 80, 91][Int(seed % 7)]
    let bounds = (0..<columns).map { _ in random.float(-1...1) }
    let values = (0..<(columns * Int.random(in: 1...500, using: &random))).map { _ -> Float in
      switch Int.random(in: 0..<40, using: &random) {
      case 0: .nan
      case 1: -0.0
      case 2: .infinity
      case 3: -.infinity
      default: (random.float(-4...4) * 8).rounded() / 8
      }
    }
    let limit = [1, 5, 100][Int(seed % 3)]
    let expected = values.indices.filter { values[$0] > bounds[$0 % columns] }
      .sorted { (values[$1], $0) < (values[$0], $1) }.prefix(limit)
    for isa in instruction_set.available {
      for capacity in [limit + 64, limit + 65, 4 * limit + 1000] {
        let found = Self.select(isa, values, bounds: bounds, limit: limit, capacity: capacity)
        #expect(found.map(\.position) == Array(expected))
        #expect(found.map(\.value) == expected.map { values[$0] })
      }
    }
  }

  @Test func ascendingValuesAreTheHardestAndStillRight() {
    let values = (0..<100_000).map { Float($0) }
    for isa in instruction_set.available {
      let found = Self.select(isa, values, bounds: [-1], limit: 50, capacity: 50 + 64)
      #expect(found.map(\.position) == Array((99_950..<100_000).reversed()))
    }
  }

  @Test(arguments: 0..<10)
  func matchingGivesTheSameBitsAsBoxes(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let anchors = (0..<203).map { _ in random.box(in: 30) }
    let boxes = (0..<5).map { _ in random.box(in: 30) }
    for isa in instruction_set.available {
      var overlaps = [Float](repeating: 0, count: anchors.count)
      var best = [Int32](repeating: -1, count: anchors.count)
      for (index, box) in boxes.enumerated() {
        let columns = [anchors.map(\.x1), anchors.map(\.y1), anchors.map(\.x2), anchors.map(\.y2)].flatMap { $0 }
        let largest = columns.withUnsafeBufferPointer { columns -> Float in
          guard let start = columns.baseAddress else { return -1 }
          let n = anchors.count
          return detection_match(
            isa, detection_rectangles(x1: start, y1: start + n, x2: start + 2 * n, y2: start + 3 * n), n,
            [box.x1, box.y1, box.x2, box.y2], Int32(index), &overlaps, &best)
        }
        #expect(largest == anchors.map { $0.iou(with: box) }.max())
      }
      for (i, anchor) in anchors.enumerated() {
        let all = boxes.map { $0.iou(with: anchor) }
        #expect(overlaps[i] == all.max())
        #expect(Int(best[i]) == (overlaps[i] > 0 ? all.firstIndex(of: overlaps[i]) : -1))
      }
    }
  }
}
