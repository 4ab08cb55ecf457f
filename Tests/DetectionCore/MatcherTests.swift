import DetectionCore
import Testing

@Suite struct MatcherTests {
  @Test(arguments: [true, false])
  func matchesAreTorchvisions(lowQuality: Bool) throws {
    let golden = try TorchvisionGoldens.load()
    let matches = Matcher(allowsLowQualityMatches: lowQuality).match(
      anchors: TorchvisionGoldens.boxes(golden.anchors.boxes), boxes: TorchvisionGoldens.boxes(golden.matcher.boxes))
    #expect(matches.boxIndexes == (lowQuality ? golden.matcher.lowQuality : golden.matcher.plain))
    for (ours, theirs) in zip(matches.overlaps, golden.matcher.overlaps) { #expect(abs(ours - theirs) < 1e-6) }
  }

  /// Against the definition, over random boxes of whole coordinates, where ties are frequent.
  @Test(arguments: 0..<30)
  func everyAnchorFollowsTheRule(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let anchors = (0..<200).map { _ in random.box(in: 20) }
    let boxes = (0..<Int(seed % 7)).map { _ in random.box(in: 20) }
    let matcher = Matcher(foregroundThreshold: 0.6, backgroundThreshold: 0.3)
    let matches = matcher.match(anchors: anchors, boxes: boxes)
    for (i, anchor) in anchors.enumerated() {
      let overlaps = boxes.map { anchor.iou(with: $0) }
      let best = overlaps.max() ?? 0
      #expect(matches.overlaps[i] == best)
      let isSomeBoxesBest = boxes.indices.contains { b in
        overlaps[b] > 0 && overlaps[b] == anchors.map { $0.iou(with: boxes[b]) }.max()
      }
      let expected: Int32 =
        if best >= 0.6 || isSomeBoxesBest {
          Int32(overlaps.firstIndex(of: best) ?? -9)
        } else if best >= 0.3 {
          AnchorMatches.between
        } else {
          AnchorMatches.background
        }
      #expect(matches.boxIndexes[i] == expected)
    }
  }

  @Test func thresholdsThemselvesCount() {
    // IoU with the box is width / 10.
    let anchors = [Float(5), 4.9, 4, 3.9].map { Box(x: 0, y: 0, width: $0, height: 10) }
    let matches = Matcher(allowsLowQualityMatches: false).match(
      anchors: anchors, boxes: [Box(x: 0, y: 0, width: 10, height: 10)])
    #expect(matches.boxIndexes == [0, AnchorMatches.between, AnchorMatches.between, AnchorMatches.background])
  }

  @Test func allAnchorsThatTieForABoxAreForeground() {
    let box = Box(x: 10, y: 10, width: 4, height: 4)
    let anchors = [
      Box(x: 12, y: 10, width: 8, height: 4), Box(x: 4, y: 10, width: 8, height: 4), Box(x: 13, y: 10, width: 8, height: 4),
    ]
    #expect(anchors[0].iou(with: box) == anchors[1].iou(with: box))
    let low = Matcher().match(anchors: anchors, boxes: [box])
    #expect(low.boxIndexes == [0, 0, AnchorMatches.background])
    let plain = Matcher(allowsLowQualityMatches: false).match(anchors: anchors, boxes: [box])
    #expect(plain.boxIndexes == [-1, -1, -1])
  }

  /// A box's best anchor that overlaps another box more goes to the other one, as in torchvision.
  @Test func aSharedBestAnchorTakesItsOwnBestBox() {
    let anchor = Box(x: 0, y: 0, width: 10, height: 10)
    let small = Box(x: 8, y: 8, width: 4, height: 4), large = Box(x: 0, y: 0, width: 10, height: 7)
    #expect(Matcher().match(anchors: [anchor], boxes: [small, large]).boxIndexes == [1])
  }

  @Test func ofEqualBoxesTheFirstIsTaken() {
    let box = Box(x: 0, y: 0, width: 10, height: 10)
    #expect(Matcher().match(anchors: [box], boxes: [box, box]).boxIndexes == [0])
  }

  @Test func aBoxFarFromAllAnchorsMatchesNone() {
    let matches = Matcher().match(
      anchors: [Box(x: 0, y: 0, width: 5, height: 5)], boxes: [Box(x: 50, y: 50, width: 5, height: 5)])
    #expect(matches.boxIndexes == [AnchorMatches.background] && matches.overlaps == [0])
  }

  @Test func withoutBoxesAllIsBackground() {
    let anchors = [Box(x: 0, y: 0, width: 5, height: 5), Box(x: 5, y: 5, width: 5, height: 5)]
    let matches = Matcher().match(anchors: anchors, boxes: [])
    #expect(matches.boxIndexes == [-1, -1] && matches.overlaps == [0, 0])
    #expect(Matcher().match(anchors: [], boxes: anchors).boxIndexes.isEmpty)
  }
}

@Suite struct AnchorTargetsTests {
  let anchors = [
    Box(x: 0, y: 0, width: 10, height: 10), Box(x: 0, y: 0, width: 10, height: 4.5), Box(x: 30, y: 30, width: 10, height: 10),
    Box(x: 31, y: 31, width: 10, height: 10),
  ]

  @Test func labelsCountClassesFromOne() {
    let boxes = [Box(x: 0, y: 0, width: 10, height: 10), Box(x: 30, y: 30, width: 10, height: 10)]
    let coder = BoxCoder(weights: SIMD4(10, 10, 5, 5))
    let targets = AnchorTargets(anchors: anchors, boxes: boxes, classIndexes: [3, 0], matcher: Matcher(), coder: coder)
    #expect(targets.labels == [4, -1, 1, 1])
    #expect(targets.foreground == [0, 2, 3])
    #expect(targets.objects.indices.allSatisfy { (targets.objects[$0] >= 0) == (targets.labels[$0] > 0) })
    #expect(targets.objects[3] == 1)
    #expect(targets.overlaps[1] == 0.45)
    #expect(targets.boxTargets.prefix(12).allSatisfy { $0 == 0 })
    let last = SIMD4(targets.boxTargets[12], targets.boxTargets[13], targets.boxTargets[14], targets.boxTargets[15])
    #expect(last == coder.encode(boxes[1], anchor: anchors[3]))
  }

  @Test func statisticsLeaveIgnoredAnchorsOut() {
    var statistics = TrainingStatistics(anchorCount: 0, foregroundCounts: [0, 0, 0], imageCount: 0)
    statistics.add(labels: [0, 1, -1, 3, 3, 0, -1], classIndexes: [2, 0, 2])
    statistics.add(labels: [], classIndexes: [])
    #expect(
      statistics
        == TrainingStatistics(
          anchorCount: 5, foregroundCounts: [1, 0, 2], imageCount: 2, objectCounts: [1, 0, 2], imageCounts: [1, 0, 1]))
    #expect(statistics.foregroundCount == 3 && statistics.classCount == 3)
    statistics += statistics
    #expect(statistics.objectCounts == [2, 0, 4] && statistics.imageCount == 4 && statistics.anchorCount == 10)
  }
}
