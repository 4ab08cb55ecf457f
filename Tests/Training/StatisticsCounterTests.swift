import SamplingFree
import Testing

/// N, N_f and N_j counted without decoding images, against the labels that training itself uses.
@Suite struct StatisticsCounterTests {
  struct Scenes: DetectionDataset {
    let classNames = ["a", "b", "c"]
    let samples: [Sample]
    var count: Int { samples.count }
    func sample(at index: Int) throws -> Sample { samples[index] }
    func header(at index: Int) throws -> SampleHeader {
      let sample = samples[index]
      return SampleHeader(
        id: sample.id, width: sample.image.width, height: sample.image.height, annotations: sample.annotations)
    }
  }

  /// Sizes of all kinds; boxes within, over the edge, crowds, and images of nothing.
  static func scenes(count: Int) -> Scenes {
    var generator = SeededGenerator(seed: 1)
    func random(_ range: ClosedRange<Float>) -> Float {
      range.lowerBound + generator.uniform() * (range.upperBound - range.lowerBound)
    }
    return Scenes(
      samples: (0..<count).map { id in
        let image = Image(width: Int(random(1...150)), height: Int(random(1...150)))
        let annotations = (0..<Int(random(0...5))).map { _ in
          let (w, h) = (Float(image.width), Float(image.height))
          return Annotation(
            box: Box(x: random(-0.3...0.9) * w, y: random(-0.3...0.9) * h, width: random(0.05...0.9) * w, height: random(0.05...0.9) * h),
            classIndex: Int(random(0...2.99)), isCrowd: random(0...1) < 0.2)
        }
        return Sample(id: id, image: image, annotations: annotations)
      })
  }

  @Test(arguments: [InputSize.fixed(width: 96, height: 64), .shorterSide(64, longerSide: 160)], [true, false])
  func countsAreThoseOfTraining(size: InputSize, allowsLowQuality: Bool) throws {
    let scenes = Self.scenes(count: 60)
    let network = try TrainingStepTests.tinyNetwork()
    let matcher = Matcher(allowsLowQualityMatches: allowsLowQuality)
    let options = InputOptions(size: size)
    var expected = TrainingStatistics(anchorCount: 0, foregroundCounts: [0, 0, 0], imageCount: 0)
    var generator = SeededGenerator(seed: 0)
    for sample in scenes.samples {
      let batch = Batch(samples: [sample], options: options, generator: &generator)
      let objects = batch.images[0].annotations.filter { !$0.isCrowd }
      let anchors = network.anchorGenerator.anchors(for: network.levels(height: batch.height, width: batch.width))
      let targets = AnchorTargets(
        anchors: anchors, boxes: objects.map(\.box), classIndexes: objects.map(\.classIndex), matcher: matcher,
        coder: BoxCoder())
      expected.imageCount += 1
      expected.anchorCount += targets.labels.count { $0 >= 0 }
      for c in 0..<3 { expected.foregroundCounts[c] += targets.labels.count { $0 == Int32(c + 1) } }
    }
    let counted = try TrainingStatistics.count(scenes, network: network, options: options, matcher: matcher)
    #expect((counted.anchorCount, counted.imageCount) == (expected.anchorCount, expected.imageCount))
    #expect(counted.foregroundCounts == expected.foregroundCounts)
    #expect(counted.foregroundCounts.allSatisfy { $0 > 0 } && counted.anchorCount > counted.foregroundCount)
  }

  /// The labels as plainly as the definition says them.
  @Test func labelsFollowTheDefinition() throws {
    let scenes = Self.scenes(count: 25)
    let network = try TrainingStepTests.tinyNetwork()
    let options = InputOptions(size: .fixed(width: 64, height: 64))
    var (all, foreground) = (0, [0, 0, 0])
    for sample in scenes.samples {
      let resized = options.resizedSize(width: sample.image.width, height: sample.image.height)
      let (sx, sy) = (Float(resized.width) / Float(sample.image.width), Float(resized.height) / Float(sample.image.height))
      var objects: [(box: Box, classIndex: Int)] = []
      for object in sample.annotations where !object.isCrowd {
        let b = object.box
        let box = Box(x1: b.x1 * sx, y1: b.y1 * sy, x2: b.x2 * sx, y2: b.y2 * sy)
          .clipped(width: Float(resized.width), height: Float(resized.height))
        if box.area > 0 { objects.append((box, object.classIndex)) }
      }
      let anchors = network.anchorGenerator.anchors(for: network.levels(height: 64, width: 64))
      for anchor in anchors {
        let overlaps = objects.map { $0.box.iou(with: anchor) }
        let best = overlaps.max() ?? 0
        if best >= 0.5, let index = overlaps.firstIndex(of: best) { foreground[objects[index].classIndex] += 1 }
        if best >= 0.5 || best < 0.4 { all += 1 }
      }
    }
    let counted = try TrainingStatistics.count(
      scenes, network: network, options: options, matcher: Matcher(allowsLowQualityMatches: false))
    #expect((counted.anchorCount, counted.imageCount) == (all, 25))
    #expect(counted.foregroundCounts == foreground)
  }

  @Test func nothingCountsNothing() throws {
    let network = try TrainingStepTests.tinyNetwork()
    let counted = try TrainingStatistics.count(
      Scenes(samples: []), network: network, options: InputOptions(size: .fixed(width: 64, height: 64)), matcher: Matcher())
    #expect(counted == TrainingStatistics(anchorCount: 0, foregroundCounts: [0, 0, 0], imageCount: 0))
  }
}
