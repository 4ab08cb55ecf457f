import DetectionCore
import NeuralNetwork

/// A one-stage detector: ResNet, feature pyramid, and two heads that see every location of every level.
///
/// Compiles itself for each input size on first use and keeps the last few. Not for use by two threads at once.
public final class RetinaNet {
  public let architecture: RetinaNetArchitecture
  public let classCount: Int
  public let parameters: Parameters
  /// [images, anchors' locations, anchors a location · classes]: each row is the anchors of a location, class by class.
  public let logits: Graph.Output
  /// [images, locations, anchors a location · 4].
  public let deltas: Graph.Output
  public let anchorGenerator: AnchorGenerator
  /// What programs compiled from now on compute with.
  public var precision = Precision.fp32
  /// Where set, programs for training compiled from now on take batch normalisation's statistics over the images of all
  /// these processes.
  public var batchStatistics: (any AllReduce)?
  /// [images, locations, channels] of all levels, in programs for inference alone: heads hide there what is not finite, as a
  /// ReLU of no number is 0.
  public let pyramid: Graph.Output
  let graph: Graph
  private let inferenceGraph: Graph
  private var programs: [(key: [Int], program: Program)] = []
  /// Of all programs: none runs while another does.
  private let arena = ProgramArena()
  private static let programsKept = 4
  /// The last classification layer: [anchors a location · classes, channels, 3, 3], each anchor's classes in a row.
  public static let classificationKernel = "heads/classification/logits/kernel"
  /// The parameter that `setClassificationBias` sets.
  public static let classificationBias = "heads/classification/logits/bias"

  /// - Parameters:
  ///   - seed: of the initial parameters; nil leaves them 0, for weights to be loaded.
  ///   - training: whether an optimiser's memory is to be there as well.
  /// - Throws: `DetectorError` where sizes do not fit together; `EngineError` where the machine has not so much memory.
  public init(_ architecture: RetinaNetArchitecture, classCount: Int, seed: UInt64?, training: Bool = false) throws {
    (graph, logits, deltas, _) = try architecture.graph(classCount: classCount)
    let inference = try architecture.graph(classCount: classCount, keepsPyramid: true)
    guard let pyramid = inference.pyramid else { throw DetectorError("a detector needs a pyramid") }
    (inferenceGraph, self.pyramid) = (inference.graph, pyramid)
    self.architecture = architecture
    self.classCount = classCount
    anchorGenerator = AnchorGenerator(
      sizes: architecture.anchorSizes, aspectRatios: architecture.aspectRatios, placement: architecture.anchorPlacement)
    try architecture.requireMemory(graph.parameters, classCount: classCount, training: training)
    parameters = try Parameters(graph.parameters, seed: seed)
  }

  /// The network compiled for batches of this size.
  /// - Throws: `DetectorError` where an extent is no multiple of `inputMultiple`.
  public func program(images: Int, height: Int, width: Int, training: Bool) throws -> Program {
    let multiple = architecture.inputMultiple
    guard images > 0, height > 0, width > 0, height % multiple == 0, width % multiple == 0 else {
      throw DetectorError("\(images) images of \(width)x\(height): extents must be positive multiples of \(multiple)")
    }
    let key = [images, height, width, training ? 1 : 0, precision == .fp32 ? 0 : 1]
    if let index = programs.firstIndex(where: { $0.key == key }) {
      let known = programs.remove(at: index)
      programs.append(known)
      return known.program
    }
    if programs.count >= Self.programsKept { programs.removeFirst() }
    let program = try Program.compile(
      training ? graph : inferenceGraph, parameters: parameters, inputShape: [images, 3, height, width], training: training,
      precision: precision, sumOverProcesses: batchStatistics.map { processes in { try processes.sum(&$0) } }, arena: arena)
    programs.append((key, program))
    return program
  }

  /// Feature levels of an image of this size, which `inputMultiple` divides.
  public func levels(height: Int, width: Int) -> [FeatureLevel] {
    var extents = (height: height >> architecture.pyramid.minLevel, width: width >> architecture.pyramid.minLevel)
    return architecture.pyramid.levels.map { level in
      if level > architecture.pyramid.minLevel { extents = ((extents.height + 1) / 2, (extents.width + 1) / 2) }
      return architecture.anchorPlacement.level(
        level, height: extents.height, width: extents.width, imageHeight: height, imageWidth: width)
    }
  }

  /// Sets the last classification layer's bias: one value a class, the same for all anchors of a location.
  /// - Parameter classes: whose bias is set; nil for all.
  public func setClassificationBias(_ bias: [Float], ofClasses classes: [Int]? = nil) throws {
    guard bias.count == classCount else { throw DetectorError("\(bias.count) biases for \(classCount) classes") }
    var values = try parameters.tensor(Self.classificationBias)
    for anchor in 0..<anchorGenerator.anchorsPerLocation {
      for classIndex in classes ?? Array(0..<classCount) { values.values[anchor * classCount + classIndex] = bias[classIndex] }
    }
    try parameters.set(Self.classificationBias, to: values)
  }

  /// The parameters' shapes by path: what weights are matched against.
  public var expectedShapes: [String: [Int]] { parameters.shapes }
}
