import Foundation
import SamplingFree
import TestSupport
import Testing

/// Losses and gradients of one step, from pixels and boxes to every parameter.
@Suite struct TrainingStepTests {
  init() { useThreads(1) }

  struct Golden: Decodable {
    let image: String
    let size, anchors, foreground, ignored: Int
    let boxes: [[[Float]]]
    let labels: [[Int]]
    let classification, regression, scale, gradientNorm: Double
    let logits, deltas: TensorSample
    let gradients: [String: TensorSample]
  }

  static func strategies(
    sampler: StrategyReference = StrategyReference("none"), lossScaler: String = "guided"
  ) throws -> Strategies {
    var configuration = ExperimentConfiguration()
    configuration.sampler = sampler
    configuration.lossScaler = StrategyReference(lossScaler)
    return try Strategies(configuration, registry: .standard)
  }

  static func step(_ network: RetinaNet) -> TrainingStep {
    TrainingStep(
      network: network, matcher: Matcher(), coder: BoxCoder(weights: SIMD4(10, 10, 5, 5)), regressionWeight: 1,
      statistics: TrainingStatistics(
        anchorCount: 1000, foregroundCounts: Array(repeating: 1, count: network.classCount), imageCount: 1,
        objectCounts: Array(1...network.classCount), imageCounts: Array(repeating: 1, count: network.classCount)))
  }

  static func batch(_ samples: [Sample], width: Int, height: Int) -> Batch {
    var generator = SeededGenerator(seed: 0)
    return Batch(samples: samples, options: InputOptions(size: .fixed(width: width, height: height)), generator: &generator)
  }

  /// torchvision's modules, matcher, box coder and anchors, in double precision (Detectors/Goldens/make_torchvision.py).
  @Test(arguments: [1, 2]) func lossesAndGradientsEqualPyTorch(threads: Int) throws {
    useThreads(threads)
    let url = try #require(Bundle.module.url(forResource: "Goldens/step", withExtension: "json"))
    let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    let network = try RetinaNet(
      RetinaNetArchitecture(
        backbone: ResNetArchitecture(depth: 18, width: 8, normalization: .batch),
        pyramid: PyramidArchitecture(channels: 24), head: HeadArchitecture(channels: 24),
        anchorSizes: [[12, 18], [24, 36], [48, 72], [80, 120], [112, 168]], aspectRatios: [0.5, 1, 2]),
      classCount: 4, seed: 0)
    for entry in network.parameters.entries {
      let (path, shape) = (entry.declaration.path, entry.declaration.shape)
      try network.parameters.set(path, to: Tensor(shape: shape, values: HashedValues.parameter(path, shape: shape)))
    }
    let blank = Image(width: golden.size, height: golden.size)
    var batch = Self.batch(
      zip(golden.boxes, golden.labels).enumerated().map { id, objects in
        Sample(
          id: id, image: blank,
          annotations: zip(objects.0, objects.1).map {
            Annotation(box: Box(x1: $0[0], y1: $0[1], x2: $0[2], y2: $0[3]), classIndex: $1)
          })
      }, width: golden.size, height: golden.size)
    batch.pixels = HashedValues.pixels(golden.image, count: batch.pixels.count)

    var strategies = try Self.strategies()
    let losses = try Self.step(network).run([batch], step: 0, strategies: &strategies)
    #expect(losses.foreground == golden.foreground)
    #expect(abs(losses.classification / golden.classification - 1) < 1e-5)
    #expect(abs(losses.regression / golden.regression - 1) < 1e-5)
    #expect(abs(losses.w / golden.scale - 1) < 2e-5)
    let program = try network.program(images: 2, height: golden.size, width: golden.size, training: true)
    #expect(golden.logits.error(of: program.values(of: network.logits), name: "logits") < 1e-4)
    #expect(golden.deltas.error(of: program.values(of: network.deltas), name: "deltas") < 1e-4)
    let trained = network.parameters.entries.filter(\.declaration.isTrainable)
    #expect(trained.count == golden.gradients.count)
    for entry in trained {
      let path = entry.declaration.path
      let expected = try #require(golden.gradients[path], "\(path)")
      #expect(expected.error(of: network.parameters.gradients[entry.range], name: path) < 3e-4, "\(path)")
    }
    #expect(try abs(SGD(network.parameters).gradientNorm() / golden.gradientNorm - 1) < 1e-4)
  }

  // MARK: Finite differences

  static func tinyNetwork(normalization: ResNetArchitecture.Normalization = .group(2)) throws -> RetinaNet {
    try RetinaNet(
      RetinaNetArchitecture(
        backbone: ResNetArchitecture(depth: 18, width: 4, stem: .small, normalization: normalization),
        pyramid: PyramidArchitecture(channels: 8, minLevel: 3, maxLevel: 5), head: HeadArchitecture(convolutions: 1, channels: 8),
        anchorSizes: [[12], [24], [48]], aspectRatios: [1]),
      classCount: 3, seed: 5)
  }

  static func noise(_ width: Int, _ height: Int, seed: Int) -> Image {
    var image = Image(width: width, height: height)
    for i in image.pixels.indices { image.pixels[i] = UInt8(truncatingIfNeeded: (i &+ seed) &* 2_654_435_761 >> 13) }
    return image
  }

  static let samples = [
    Sample(
      id: 0, image: noise(64, 64, seed: 1),
      annotations: [
        Annotation(box: Box(x1: 8, y1: 10, x2: 22, y2: 21), classIndex: 0),
        Annotation(box: Box(x1: 20, y1: 16, x2: 60, y2: 62), classIndex: 2),
        Annotation(box: Box(x1: 0, y1: 40, x2: 20, y2: 60), classIndex: 1, isCrowd: true),
      ]),
    Sample(id: 1, image: noise(64, 64, seed: 2), annotations: []),
  ]

  /// Along a random direction of each parameter, w being held: the slope of w·L_cls + L_reg is gradient · direction.
  @Test(arguments: [StrategyReference("none"), StrategyReference("focal")], ["guided", "unscaled"])
  func gradientsAreSlopesOfTheLoss(sampler: StrategyReference, lossScaler: String) throws {
    let network = try Self.tinyNetwork()
    // Heads start near 0, where gradients of what lies in front of them are too small to measure.
    for entry in network.parameters.entries where entry.declaration.path.hasPrefix("heads/") && entry.declaration.path.hasSuffix("kernel") {
      for i in entry.range { network.parameters.values[i] *= 20 }
    }
    network.parameters.markChanged()
    let (step, batch) = (Self.step(network), Self.batch(Self.samples, width: 64, height: 64))
    func losses() throws -> TrainingStep.Losses {
      var strategies = try Self.strategies(sampler: sampler, lossScaler: lossScaler)
      return try step.run([batch], step: 0, strategies: &strategies)
    }
    let start = try losses()
    let gradients = Array(network.parameters.gradients)
    let values = Array(network.parameters.values)
    func loss(_ entry: Parameters.Entry, _ direction: [Float], _ distance: Float) throws -> Double {
      for (i, d) in zip(entry.range, direction) { network.parameters.values[i] = values[i] + distance * d }
      network.parameters.markChanged()
      let moved = try losses()
      return start.w * moved.classification + moved.regression
    }
    let norm = gradients.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    for entry in network.parameters.entries where entry.declaration.isTrainable {
      let path = entry.declaration.path
      // Towards the gradient, so that the slope is large, and a little aside.
      let own = gradients[entry.range].reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      let aside = HashedValues.uniform(path, count: entry.range.count).map { Float(2 * $0 - 1) }
      let length = Float(Double(entry.range.count).squareRoot())
      let direction = zip(gradients[entry.range], aside).map { g, a in Float(Double(g) / max(own, 1e-12)) + 0.3 * a / length }
      let expected = zip(gradients[entry.range], direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      let distance: Float = 1e-4
      let slope = (try loss(entry, direction, distance) - loss(entry, direction, -distance)) / Double(2 * distance)
      for i in entry.range { network.parameters.values[i] = values[i] }
      #expect(abs(slope - expected) < 0.03 * abs(expected) + 2e-3 * norm, "\(path): gradient \(expected), slope \(slope)")
    }
  }

  /// What is reported as finished does not change any more, and is all that is trained, once.
  @Test func gradientsAreReportedWhenTheyAreComplete() throws {
    let network = try Self.tinyNetwork()
    let program = try network.program(images: 1, height: 64, width: 64, training: true)
    for i in program.inputValues.indices { program.inputValues[i] = Float(i % 17) / 8 - 1 }
    try program.forward()
    for output in [network.logits, network.deltas] { program.gradient(of: output).update(repeating: 0.1) }
    var reported: [Range<Int>: [Float]] = [:]
    try program.backward { finished in
      for range in finished { #expect(reported.updateValue(Array(network.parameters.gradients[range]), forKey: range) == nil) }
    }
    let trained = network.parameters.entries.filter(\.declaration.isTrainable)
    #expect(reported.count == trained.count)
    for entry in trained { #expect(reported[entry.range] == Array(network.parameters.gradients[entry.range]), "\(entry.declaration.path)") }
  }

  /// Guided scaling makes the two losses equal; the gradient of the heads is scaled with them.
  @Test func guidedScalingScalesTheClassificationGradientAlone() throws {
    let network = try Self.tinyNetwork()
    let (step, batch) = (Self.step(network), Self.batch(Self.samples, width: 64, height: 64))
    func run(_ scaler: String) throws -> (TrainingStep.Losses, logits: [Float], deltas: [Float]) {
      var strategies = try Self.strategies(lossScaler: scaler)
      let losses = try step.run([batch], step: 0, strategies: &strategies)
      let program = try network.program(images: 2, height: 64, width: 64, training: true)
      return (losses, Array(program.gradient(of: network.logits)), Array(program.gradient(of: network.deltas)))
    }
    let (plain, guided) = (try run("unscaled"), try run("guided"))
    #expect(plain.0.w == 1)
    #expect(guided.0.classification == plain.0.classification && guided.0.regression == plain.0.regression)
    #expect(abs(guided.0.w * guided.0.classification / guided.0.regression - 1) < 1e-6)
    #expect(guided.deltas == plain.deltas)
    for (a, b) in zip(guided.logits, plain.logits) { #expect(abs(a - Float(guided.0.w) * b) <= 1e-6 * abs(a)) }
  }

  /// Without batch statistics, a mini-batch in parts is the mini-batch, whatever the strategies count over it or keep from
  /// step to step.
  @Test(arguments: NamedStrategy.ofLosses)
  func partsAreTheMiniBatch(strategy: NamedStrategy) throws {
    let network = try Self.tinyNetwork(normalization: strategy.name == "focal" ? .frozenBatch : .group(2))
    for entry in network.parameters.entries where entry.declaration.path.hasSuffix("logits/kernel") {
      // Logits that differ, so that ranks and bins do not hang on the last bits.
      for i in entry.range { network.parameters.values[i] *= 100 }
    }
    network.parameters.markChanged()
    let step = Self.step(network)
    let samples = Self.samples + Self.samples.reversed().map { Sample(id: $0.id, image: Self.noise(64, 64, seed: 9), annotations: $0.annotations) }
    func run(_ parts: [[Sample]]) throws -> [(losses: TrainingStep.Losses, gradients: [Float])] {
      let configuration = try ExperimentConfiguration(yaml: "seed: 0", name: "test", overrides: [strategy.setting])
      var strategies = try Strategies(configuration, registry: .standard)
      return try (0..<2).map { index in
        let batches = parts.map { Self.batch($0, width: 64, height: 64) }
        return (try step.run(batches, step: index, strategies: &strategies), Array(network.parameters.gradients))
      }
    }
    let whole = try run([samples])
    for parts in [[Array(samples[..<2]), Array(samples[2...])], samples.map { [$0] }] {
      for (whole, parts) in zip(whole, try run(parts)) {
        #expect(whole.losses.foreground > 0 && whole.losses.foreground == parts.losses.foreground)
        #expect(abs(whole.losses.classification / parts.losses.classification - 1) < 1e-5)
        #expect(abs(whole.losses.regression / parts.losses.regression - 1) < 1e-5)
        #expect(abs(whole.losses.total / parts.losses.total - 1) < 1e-5)
        let scale = whole.gradients.map(abs).max() ?? 0
        for (a, b) in zip(whole.gradients, parts.gradients) { #expect(abs(a - b) <= 1e-4 * scale) }
      }
    }
  }

  /// Parts of different sizes have different anchors.
  @Test(arguments: ["none", "quality-focal"]) func partsMayDifferInSize(sampler: String) throws {
    let network = try Self.tinyNetwork()
    let step = Self.step(network)
    func run(_ batches: [Batch]) throws -> TrainingStep.Losses {
      var strategies = try Self.strategies(sampler: StrategyReference(sampler), lossScaler: "unscaled")
      return try step.run(batches, step: 0, strategies: &strategies)
    }
    let sizes = [(64, 64), (96, 64), (64, 128)]
    let parts = sizes.map { Self.batch(Self.samples, width: $0.0, height: $0.1) }
    let alone = try parts.map { try run([$0]) }
    let gradients = Array(network.parameters.gradients)
    let together = try run(parts)
    #expect(together.foreground == alone.reduce(0) { $0 + $1.foreground })
    #expect(gradients != Array(network.parameters.gradients))
    let weighed = alone.reduce(0) { $0 + $1.regression * Double($1.foreground) } / Double(together.foreground)
    #expect(abs(together.regression / weighed - 1) < 1e-6)
  }

  // MARK: Unusual batches

  @Test func aBatchWithoutObjectsTrainsTheBackground() throws {
    let network = try Self.tinyNetwork()
    let step = Self.step(network)
    var strategies = try Self.strategies()
    let first = try step.run([Self.batch(Self.samples, width: 64, height: 64)], step: 0, strategies: &strategies)
    let empty = try step.run([Self.batch([Self.samples[1]], width: 64, height: 64)], step: 1, strategies: &strategies)
    #expect(empty.foreground == 0 && empty.regression == 0 && empty.classification > 0)
    #expect(empty.w == first.w, "the last w stays in force")
    #expect(network.parameters.gradients.allSatisfy { $0.isFinite })
    let bias = try network.parameters.gradient("heads/classification/logits/bias").values
    #expect(bias.allSatisfy { $0 > 0 }, "all outputs are pushed down")
    #expect(try network.parameters.gradient("heads/regression/deltas/bias").values.allSatisfy { $0 == 0 })
  }

  @Test(arguments: [ResNetArchitecture.Normalization.batch, .group(2), .frozenBatch])
  func oneImageOfOnePixel(normalization: ResNetArchitecture.Normalization) throws {
    let network = try Self.tinyNetwork(normalization: normalization)
    let sample = Sample(
      id: 0, image: Self.noise(1, 1, seed: 3),
      annotations: [Annotation(box: Box(x1: 0, y1: 0, x2: 1, y2: 1), classIndex: 1)])
    var strategies = try Self.strategies()
    for side in [32, 64] {
      let losses = try Self.step(network).run([Self.batch([sample], width: side, height: side)], step: 0, strategies: &strategies)
      #expect(losses.foreground > 0 && losses.regression.isFinite && losses.classification.isFinite)
      #expect(network.parameters.gradients.allSatisfy { $0.isFinite })
    }
  }

  /// What reaches over the edge is cut, what has no area left is no object.
  @Test func degenerateBoxesAreNoObjects() throws {
    let network = try Self.tinyNetwork()
    func foreground(_ boxes: [Box]) throws -> Int {
      let sample = Sample(
        id: 0, image: Self.noise(64, 64, seed: 1), annotations: boxes.map { Annotation(box: $0, classIndex: 0) })
      var strategies = try Self.strategies()
      return try Self.step(network).run([Self.batch([sample], width: 64, height: 64)], step: 0, strategies: &strategies).foreground
    }
    let good = Box(x1: 8, y1: 10, x2: 22, y2: 21)
    let none = [Box(x1: 5, y1: 5, x2: 5, y2: 30), Box(x1: 70, y1: 5, x2: 90, y2: 30), Box(x1: 9, y1: 40, x2: 30, y2: 20)]
    #expect(try foreground([good]) > 0)
    #expect(try foreground(none) == 0)
    #expect(try foreground([good] + none) == foreground([good]))
  }

  /// Where a ReLU hides them from the losses, they show in the gradient, whose norm the trainer checks.
  @Test func pixelsThatAreNoNumbersDoNotPassUnseen() throws {
    for normalization in [ResNetArchitecture.Normalization.batch, .group(2), .frozenBatch] {
      for value in [Float.nan, .infinity] {
        let network = try Self.tinyNetwork(normalization: normalization)
        var batch = Self.batch(Self.samples, width: 64, height: 64)
        batch.pixels[100] = value
        var strategies = try Self.strategies()
        do {
          _ = try Self.step(network).run([batch], step: 7, strategies: &strategies)
          #expect(try !SGD(network.parameters).gradientNorm().isFinite)
        } catch let error as TrainingDiverged {
          #expect(error.step == 7)
        }
      }
    }
  }

  @Test func resultsThatAreNoNumbersAreDivergence() throws {
    for path in [RetinaNet.classificationBias, "heads/regression/deltas/bias"] {
      let network = try Self.tinyNetwork()
      network.parameters.values[try network.parameters.entry(path).range.lowerBound] = .nan
      network.parameters.markChanged()
      var strategies = try Self.strategies()
      let error = try thrown(TrainingDiverged.self) {
        try Self.step(network).run([Self.batch(Self.samples, width: 64, height: 64)], step: 3, strategies: &strategies)
      }
      #expect(error.step == 3 && error.description.hasPrefix("training diverged at step 3: "))
    }
  }
}

extension TrainingStep.Losses {
  fileprivate var w: Double { Double(scales.classification) }
}
