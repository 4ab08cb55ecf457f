import Testing

import DetectionCore
import Detectors
import NeuralNetwork
import TestSupport

@Suite struct RetinaNetTests {
  init() { useThreads(1) }

  static func architecture(
    depth: Int = 18, width: Int = 4, stem: ResNetArchitecture.Stem = .standard,
    normalization: ResNetArchitecture.Normalization = .batch, levels: ClosedRange<Int> = 3...7, channels: Int = 8,
    source: PyramidArchitecture.ExtraLevelSource = .p5, head: HeadArchitecture = HeadArchitecture(convolutions: 1, channels: 8)
  ) -> RetinaNetArchitecture {
    RetinaNetArchitecture(
      backbone: ResNetArchitecture(depth: depth, width: width, stem: stem, normalization: normalization),
      pyramid: PyramidArchitecture(
        channels: channels, minLevel: levels.lowerBound, maxLevel: levels.upperBound, extraLevelSource: source),
      head: head, anchorSizes: levels.map { [Float(4 << $0), Float(5 << $0)] }, aspectRatios: [0.5, 1, 2])
  }

  /// Parameters of the backbones as torchvision counts them (without the classifier), trainable ones.
  @Test(arguments: [(18, 11_176_512), (34, 21_284_672), (50, 23_508_032), (101, 42_500_160), (152, 58_143_808)])
  func backbonesHaveTheirParameters(depth: Int, count: Int) throws {
    let network = try RetinaNet(Self.architecture(depth: depth, width: 64), classCount: 1, seed: 0)
    let backbone = network.parameters.entries.filter { $0.declaration.path.hasPrefix("backbone/") && $0.declaration.isTrainable }
    #expect(backbone.reduce(0) { $0 + $1.range.count } == count)
  }

  @Test(arguments: [18, 34, 50, 101, 152], [ResNetArchitecture.Stem.standard, .small])
  func outputsHaveARowForEachAnchor(depth: Int, stem: ResNetArchitecture.Stem) throws {
    let network = try RetinaNet(Self.architecture(depth: depth, stem: stem), classCount: 3, seed: 0)
    for (images, height, width) in [(1, 32, 32), (2, 64, 96), (1, 160, 32)] {
      let program = try network.program(images: images, height: height, width: width, training: false)
      try program.forward()
      let levels = network.levels(height: height, width: width)
      let anchors = network.anchorGenerator.anchors(for: levels).count
      #expect(anchors == levels.reduce(0) { $0 + $1.height * $1.width } * 6)
      #expect(program.shape(of: network.logits) == [images, anchors / 6, 6 * 3])
      #expect(program.shape(of: network.deltas) == [images, anchors / 6, 6 * 4])
      #expect(program.levels(of: network.logits) == levels.map { [$0.height, $0.width] })
      #expect(program.values(of: network.logits).allSatisfy { $0.isFinite })
    }
  }

  @Test(arguments: [2...5, 3...5, 4...8, 5...5, 3...6], [PyramidArchitecture.ExtraLevelSource.c5, .p5])
  func pyramidsOfAnyLevels(levels: ClosedRange<Int>, source: PyramidArchitecture.ExtraLevelSource) throws {
    let network = try RetinaNet(Self.architecture(levels: levels, source: source), classCount: 2, seed: 0)
    let program = try network.program(images: 1, height: 96, width: 64, training: true)
    for i in program.inputValues.indices { program.inputValues[i] = Float(i * 7919 % 211) / 100 - 1 }
    try program.forward()
    #expect(program.levels(of: network.logits) == network.levels(height: 96, width: 64).map { [$0.height, $0.width] })
    program.gradient(of: network.logits).update(repeating: 1)
    program.gradient(of: network.deltas).update(repeating: 1)
    try program.backward()
    for entry in network.parameters.entries where entry.declaration.isTrainable {
      #expect(network.parameters.gradients[entry.range].contains { $0 != 0 }, "\(entry.declaration.path)")
    }
  }

  @Test func parametersAreNamedByTheirPlace() throws {
    let network = try RetinaNet(Self.architecture(depth: 50, normalization: .frozenBatch), classCount: 3, seed: 0)
    let shapes = network.expectedShapes
    #expect(shapes["backbone/stem/conv/kernel"] == [4, 3, 7, 7])
    #expect(shapes["backbone/stem/norm/moving_variance"] == [4])
    #expect(shapes["backbone/stage1/block1/conv1/kernel"] == [4, 4, 1, 1])
    #expect(shapes["backbone/stage1/block1/downsample/conv/kernel"] == [16, 4, 1, 1])
    #expect(shapes["backbone/stage4/block3/conv2/kernel"] == [32, 32, 3, 3])
    #expect(shapes["backbone/stage4/block3/norm3/gamma"] == [128])
    #expect(shapes["pyramid/lateral3/kernel"] == [8, 32, 1, 1])
    #expect(shapes["pyramid/output5/bias"] == [8])
    #expect(shapes["pyramid/level7/kernel"] == [8, 8, 3, 3])
    #expect(shapes["heads/classification/conv1/kernel"] == [8, 8, 3, 3])
    #expect(shapes["heads/classification/logits/kernel"] == [18, 8, 3, 3])
    #expect(shapes["heads/classification/logits/bias"] == [18])
    #expect(shapes["heads/regression/deltas/bias"] == [24])
    #expect(shapes["backbone/stage1/block2/downsample/conv/kernel"] == nil)
    // Frozen statistics are not trained; nothing but them is frozen.
    let frozen = network.parameters.entries.filter { !$0.declaration.isTrainable }.map(\.declaration.path)
    #expect(frozen.allSatisfy { $0.contains("/norm") } && frozen.contains("backbone/stem/norm/gamma"))
  }

  @Test func theClassificationBiasIsSetForEveryAnchor() throws {
    let network = try RetinaNet(Self.architecture(), classCount: 3, seed: 0)
    try network.setClassificationBias([-1, -2, -3])
    for entry in network.parameters.entries where entry.declaration.path.hasSuffix("logits/kernel") {
      for i in entry.range { network.parameters.values[i] = 0 }
    }
    network.parameters.markChanged()
    let program = try network.program(images: 1, height: 32, width: 32, training: false)
    try program.forward()
    let logits = Array(program.values(of: network.logits))
    #expect(logits == (0..<(logits.count / 3)).flatMap { _ in [Float(-1), -2, -3] })
    #expect(throws: DetectorError.self) { try network.setClassificationBias([1]) }
  }

  @Test func theSameSeedMakesTheSameNetwork() throws {
    func values(_ seed: UInt64) throws -> [Float] {
      let network = try RetinaNet(Self.architecture(), classCount: 3, seed: seed)
      return try network.parameters.entries.flatMap { try network.parameters.tensor($0.declaration.path).values }
    }
    #expect(try values(1) == values(1))
    #expect(try values(1) != values(2))
  }

  /// Programs of many sizes come and go; each computes with the parameters of the moment.
  @Test func sizesAlternate() throws {
    let network = try RetinaNet(Self.architecture(), classCount: 2, seed: 0)
    func logits(_ height: Int, _ width: Int) throws -> [Float] {
      let program = try network.program(images: 1, height: height, width: width, training: false)
      for i in program.inputValues.indices { program.inputValues[i] = Float(i % 13) / 13 }
      try program.forward()
      return Array(program.values(of: network.logits))
    }
    let sizes = [(32, 32), (64, 32), (32, 64), (96, 96), (64, 64), (32, 96)]
    let first = try sizes.map { try logits($0.0, $0.1) }
    let second = try sizes.reversed().map { try logits($0.0, $0.1) }
    #expect(first == second.reversed())
  }

  @Test(arguments: [(0, 32, 32), (1, 33, 32), (1, 32, 0), (1, -32, 32), (1, 16, 32)])
  func sizesThatDoNotFitAreRefused(images: Int, height: Int, width: Int) throws {
    let network = try RetinaNet(Self.architecture(), classCount: 2, seed: 0)
    let error = try thrown(DetectorError.self) {
      try network.program(images: images, height: height, width: width, training: false)
    }
    #expect(error.description.contains("multiples of 32"))
  }

  @Test func architecturesThatCannotBeAreRefused() throws {
    var cases = [
      Self.architecture(depth: 20), Self.architecture(width: 0), Self.architecture(normalization: .group(3)),
      Self.architecture(levels: 1...5), Self.architecture(levels: 3...9), Self.architecture(channels: 0),
      Self.architecture(head: HeadArchitecture(convolutions: -1)),
      Self.architecture(head: HeadArchitecture(channels: 8, normalization: .group(5))),
    ]
    var broken = Self.architecture()
    broken.anchorSizes.removeLast()
    cases.append(broken)
    broken = Self.architecture()
    broken.anchorSizes[1] = [8]
    cases.append(broken)
    broken = Self.architecture()
    broken.aspectRatios = []
    cases.append(broken)
    broken = Self.architecture()
    broken.anchorSizes[0][0] = .nan
    cases.append(broken)
    for architecture in cases {
      #expect(throws: DetectorError.self) { try RetinaNet(architecture, classCount: 2, seed: 0) }
    }
    let error = try thrown(DetectorError.self) { try RetinaNet(Self.architecture(depth: 20), classCount: 2, seed: 0) }
    #expect(error.description.contains("18, 34, 50, 101"))
    #expect(throws: DetectorError.self) { try RetinaNet(Self.architecture(), classCount: 0, seed: 0) }
  }
}
