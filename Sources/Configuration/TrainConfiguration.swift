/// The optimiser, its schedule, and what is written when.
public struct TrainConfiguration: Hashable, Sendable {
  /// Mini-batches.
  public var steps = 1000
  public var batchSize = 16
  /// Mini-batches that make one step together: as if they were one of `accumulate` x `batchSize` images.
  public var accumulate = 1
  public var learningRate: Float = 0.01
  public var momentum: Float = 0.9
  public var weightDecay: Float = 1e-4
  public var warmupSteps = 100
  /// Share of the rate at the first step.
  public var warmupFactor: Float = 0.001
  public var decaySteps: [Int] = []
  public var decayFactor: Float = 0.1
  /// Largest L2 norm of the gradient; 0 does not clip.
  public var clipNorm: Float = 0
  /// Steps between evaluations; 0 evaluates at the end only.
  public var evaluateEvery = 0
  /// Steps between checkpoints; 0 writes one whenever five minutes have passed since the last. There is one at the end in any
  /// case, and how many there were changes no other file.
  public var checkpointEvery = 0
  public var logEvery = 20
  /// Folder of weights, checkpoint and metrics.
  public var output = "runs/experiment"
  /// Weights to start from.
  public var initialWeights: String?

  public init() {}

  init(_ r: inout SectionReader) throws {
    steps = try r.int("steps", steps, in: 1...100_000_000)
    batchSize = try r.int("batchSize", batchSize, in: 1...4096)
    accumulate = try r.int("accumulate", accumulate, in: 1...4096)
    learningRate = try r.float("learningRate", learningRate, in: 0...100)
    momentum = try r.float("momentum", momentum, in: 0...1)
    weightDecay = try r.float("weightDecay", weightDecay, in: 0...10)
    warmupSteps = try r.int("warmupSteps", warmupSteps, in: 0...100_000_000)
    warmupFactor = try r.float("warmupFactor", warmupFactor, in: 0...1)
    decaySteps = try r.ints("decaySteps", decaySteps, in: 0...(.max))
    decayFactor = try r.float("decayFactor", decayFactor, in: 0...1)
    clipNorm = try r.float("clipNorm", clipNorm, in: 0...(.greatestFiniteMagnitude))
    evaluateEvery = try r.int("evaluateEvery", evaluateEvery, in: 0...(.max))
    checkpointEvery = try r.int("checkpointEvery", checkpointEvery, in: 0...(.max))
    logEvery = try r.int("logEvery", logEvery, in: 1...(.max))
    output = try r.string("output", output)
    initialWeights = try r.optionalString("initialWeights")
  }

  func emit(_ emitter: inout Emitter) {
    emitter.section("train") { e in
      e.value("steps", steps)
      e.value("batchSize", batchSize)
      e.value("accumulate", accumulate)
      e.value("learningRate", learningRate)
      e.value("momentum", momentum)
      e.value("weightDecay", weightDecay)
      e.value("warmupSteps", warmupSteps)
      e.value("warmupFactor", warmupFactor)
      e.list("decaySteps", decaySteps)
      e.value("decayFactor", decayFactor)
      e.value("clipNorm", clipNorm)
      e.value("evaluateEvery", evaluateEvery)
      e.value("checkpointEvery", checkpointEvery)
      e.value("logEvery", logEvery)
      e.text("output", output)
      e.text("initialWeights", initialWeights)
    }
  }
}
