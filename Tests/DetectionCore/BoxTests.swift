import DetectionCore
import Testing

@Suite struct BoxTests {
  @Test func iouIsTheSharedPartOfBoth() {
    let a = Box(x: 0, y: 0, width: 10, height: 10)
    #expect(a.iou(with: a) == 1)
    #expect(a.iou(with: Box(x: 5, y: 0, width: 10, height: 10)) == Float(50.0 / 150.0))
    #expect(a.iou(with: Box(x: 2, y: 2, width: 5, height: 4)) == 0.2)
    #expect(a.iou(with: Box(x: 10, y: 0, width: 10, height: 10)) == 0, "touching edges share nothing")
    #expect(a.iou(with: Box(x: -30, y: -30, width: 10, height: 10)) == 0)
  }

  @Test func emptyAndReversedBoxesOverlapNothing() {
    let empty = Box(x1: 3, y1: 3, x2: 3, y2: 8), reversed = Box(x1: 8, y1: 8, x2: 2, y2: 2)
    let whole = Box(x: 0, y: 0, width: 10, height: 10)
    for box in [empty, reversed] {
      #expect(box.area == 0)
      #expect(box.iou(with: whole) == 0 && whole.iou(with: box) == 0)
      #expect(box.iou(with: box) == 0)
    }
  }

  @Test func iouIsSymmetricAndBounded() {
    var random = SplitMix(seed: 1)
    for _ in 0..<2000 {
      let (a, b) = (random.box(in: 60), random.box(in: 60))
      #expect(a.iou(with: b) == b.iou(with: a))
      #expect((0...1).contains(a.iou(with: b)))
      // Inclusion and exclusion over a raster of unit cells, as all coordinates are whole.
      var (both, either) = (0, 0)
      for y in 0..<60 {
        for x in 0..<60 {
          let (inA, inB) = (a.covers(x, y), b.covers(x, y))
          both += inA && inB ? 1 : 0
          either += inA || inB ? 1 : 0
        }
      }
      #expect(abs(a.iou(with: b) - Float(both) / Float(max(1, either))) < 1e-6)
    }
  }

  @Test func clippingKeepsWhatLiesInTheImage() {
    #expect(Box(x1: -5, y1: 2, x2: 30, y2: 50).clipped(width: 20, height: 10) == Box(x1: 0, y1: 2, x2: 20, y2: 10))
    #expect(Box(x1: 25, y1: 0, x2: 30, y2: 5).clipped(width: 20, height: 10).area == 0)
  }

  @Test func cocoBoxesAreCornerAndSize() {
    let box = Box(x: 3, y: 4, width: 10, height: 20)
    #expect(box == Box(x1: 3, y1: 4, x2: 13, y2: 24))
    #expect(box.width == 10 && box.height == 20 && box.area == 200)
  }
}

extension Box {
  fileprivate func covers(_ x: Int, _ y: Int) -> Bool {
    x1 <= Float(x) && Float(x) < x2 && y1 <= Float(y) && Float(y) < y2
  }
}
