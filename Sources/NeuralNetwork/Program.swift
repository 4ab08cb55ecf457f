import COneDNN
import Foundation

/// A graph compiled for one input size: primitives made once, memory planned once. Not for use by two threads at once.
public final class Program {
  struct OutputPlan {
    let name: String
    let shape: [Int]
    let levels: [[Int]]
    let value: Buffer
    let gradient: Buffer?
  }

  /// Bytes of the arena that intermediate values share.
  public let arenaByteCount: Int
  /// [images, channels, height, width].
  public let inputShape: [Int]
  private let parameters: Parameters
  private let stream: dnnl_stream_t
  private let slots: [UnsafeMutablePointer<Float>]
  private let arena: UnsafeMutableBufferPointer<Float>
  private let ownedMemory: [UnsafeMutableBufferPointer<Float>]
  private let preparation: [Step]
  private let forwardSteps: [Step]
  private let backwardSteps: [Step]
  /// By step of the backward pass.
  private let finishedGradients: [[Range<Int>]]
  private let input: Buffer
  private let outputs: [OutputPlan]
  private var preparedVersion = -1

  /// - Parameters:
  ///   - inputShape: [images, channels, height, width].
  ///   - training: whether `backward` will be called and batch normalisation uses the batch's statistics.
  ///   - precision: of kernels and activations. fp32 instead where the machine lacks it: see `Precision.isSupported`.
  ///   - sumOverProcesses: with it batch normalisation in training has the statistics of all processes' images: replaces
  ///     each value by its sum over the processes, which all run the same program at the same time.
  /// - Throws: `EngineError` where the shapes do not fit.
  public static func compile(
    _ graph: Graph, parameters: Parameters, inputShape: [Int], training: Bool, precision: Precision = .fp32,
    sumOverProcesses: SumOverProcesses? = nil
  ) throws -> Program {
    var compiler = Compiler(
      graph: graph, parameters: parameters, input: inputShape, isTraining: training, precision: precision.supported,
      sumOverProcesses: sumOverProcesses)
    return try compiler.compile()
  }

  /// See `compile`.
  public typealias SumOverProcesses = (inout [Double]) throws -> Void

  init(builder: ProgramBuilder, input: Buffer, outputs: [OutputPlan]) throws {
    let arenaSlots = builder.slots.indices.filter { builder.slots[$0].pinned == nil && builder.slots[$0].isUsed }
    let plan = ArenaPlan.offsets(
      of: arenaSlots.map {
        let slot = builder.slots[$0]
        return ArenaPlan.Request(byteCount: slot.byteCount, lifetime: slot.firstStep...slot.lastStep)
      })
    let arena = UnsafeMutableBufferPointer<Float>.allocateAligned(plan.byteCount / 4)
    guard let base = arena.baseAddress else { throw EngineError("no memory for a program") }
    var pointers = builder.slots.map { $0.pinned ?? base }
    for (slot, offset) in zip(arenaSlots, plan.offsets) { pointers[slot] = base + offset / 4 }

    var stream: dnnl_stream_t?
    try OneDNN.check(dnnl_stream_create(&stream, try OneDNN.engine.get(), dnnl_stream_default_flags.rawValue), "create a stream")
    guard let stream else { throw EngineError("oneDNN made no stream") }
    self.stream = stream
    self.arena = arena
    arenaByteCount = plan.byteCount
    ownedMemory = builder.ownedMemory
    slots = pointers
    parameters = builder.parameters
    self.input = input
    self.outputs = outputs
    inputShape = input.layout.shape
    preparation = try builder.steps[.preparation, default: []].map { try Step($0, pointers) }
    forwardSteps = try builder.steps[.forward, default: []].map { try Step($0, pointers) }
    backwardSteps = try builder.steps[.backward, default: []].map { try Step($0, pointers) }
    finishedGradients = try builder.finishedGradients()
  }

  deinit {
    dnnl_stream_destroy(stream)
    arena.deallocateAligned()
    for memory in ownedMemory { memory.deallocateAligned() }
  }

  // MARK: Running

  /// NCHW pixels, to be filled before `forward`.
  public var inputValues: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: slots[input.slot], count: inputShape.reduce(1, *))
  }

  /// - Throws: `EngineError` if oneDNN fails.
  public func forward() throws {
    if preparedVersion != parameters.version {
      try run(preparation)
      preparedVersion = parameters.version
    }
    try run(forwardSteps)
  }

  /// From the gradients of the outputs to those of all trainable parameters, which it overwrites.
  /// - Precondition: compiled for training, `forward` ran, `outputGradient` of every output is filled.
  /// - Parameter didStep: called after each of the pass' steps with the parameters, as ranges of `Parameters.gradients`,
  ///   whose gradients that step completed: those may be read and changed from then on.
  public func backward(didStep: (_ finished: [Range<Int>]) throws -> Void = { _ in }) throws {
    for (step, finished) in zip(backwardSteps, finishedGradients) {
      try step.run(on: stream)
      try didStep(finished)
    }
  }

  private func run(_ steps: [Step]) throws {
    for step in steps { try step.run(on: stream) }
  }

  /// Multiplications and additions of a forward pass' convolutions, by the direct algorithm.
  public var flops: Double { forwardSteps.reduce(0) { $0 + $1.flops } }

  // MARK: Results

  /// [images, locations, channels].
  public func shape(of output: Graph.Output) -> [Int] { outputs[output.index].shape }

  /// [height, width] of each value joined in the output.
  public func levels(of output: Graph.Output) -> [[Int]] { outputs[output.index].levels }

  public func values(of output: Graph.Output) -> UnsafeBufferPointer<Float> {
    let plan = outputs[output.index]
    return UnsafeBufferPointer(start: slots[plan.value.slot], count: plan.shape.reduce(1, *))
  }

  /// Where the loss writes its gradient before `backward`. Empty in programs for inference.
  public func gradient(of output: Graph.Output) -> UnsafeMutableBufferPointer<Float> {
    let plan = outputs[output.index]
    guard let gradient = plan.gradient else { return UnsafeMutableBufferPointer(start: nil, count: 0) }
    return UnsafeMutableBufferPointer(start: slots[gradient.slot], count: plan.shape.reduce(1, *))
  }

  /// One step of a pass and what it took.
  public struct StepProfile: Hashable, Sendable {
    public var name: String
    /// oneDNN's implementation, or "loop" for one of ours.
    public var implementation: String
    public var seconds: Double
    /// Multiplications and additions of the direct algorithm; 0 for all but convolutions.
    public var flops: Double
    /// Of all operands, read or written once.
    public var bytes: Double
  }

  /// Runs a forward (and backward) pass step by step, for tables of where time goes.
  /// - Parameter threadTime: count the calling thread's time on a processor instead of wall time: the same with one
  ///   thread, and not stretched by other processes.
  public func profile(includingBackward: Bool, threadTime: Bool = false) throws -> [StepProfile] {
    let clock = threadTime ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC
    return try (forwardSteps + (includingBackward ? backwardSteps : [])).map { step in
      let start = Self.seconds(clock)
      try step.run(on: stream)
      return StepProfile(
        name: step.name, implementation: step.implementation, seconds: Self.seconds(clock) - start, flops: step.flops,
        bytes: step.bytes)
    }
  }

  /// Runs a forward pass on what `inputValues` holds, step by step.
  ///
  /// With synchronised batch normalisation the other processes have to run theirs as well.
  /// - Returns: the first step with a result that is not finite, named after its layer, and the images whose results these
  ///   are where they can be told apart; nil where all is finite.
  public func firstNotFinite() throws -> (layer: String, images: [Int])? {
    let pixels = Array(inputValues)
    // What an earlier pass left in the memory is not this one's result.
    arena.update(repeating: 0)
    _ = inputValues.update(fromContentsOf: pixels)
    preparedVersion = -1
    for step in preparation + forwardSteps {
      try step.run(on: stream)
      if let images = step.imagesNotFinite(of: inputShape[0]) { return (step.name, images) }
    }
    return nil
  }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// A step bound to its memory.
private final class Step {
  let name: String
  let flops: Double
  let bytes: Double
  private let primitive: Primitive?
  private var arguments: [dnnl_exec_arg_t] = []
  /// A primitive's result; of a loop all it sees.
  private let results: [(memory: UnsafeMutablePointer<Float>, layout: MemoryDescriptor)]
  private let loop: (() throws -> Void)?

  init(_ plan: StepPlan, _ slots: [UnsafeMutablePointer<Float>]) throws {
    name = plan.name
    flops = plan.flops
    bytes = plan.bytes
    switch plan.work {
    case .loop(let buffers, let body):
      let pointers = buffers.map { slots[$0.slot] + $0.offset }
      results = zip(pointers, buffers).map { ($0, $1.layout) }
      primitive = nil
      loop = { try body(pointers) }
    case .primitive(let primitive, let buffers):
      self.primitive = primitive
      results = buffers.filter { $0.0 == DNNL_ARG_DST }.map { (slots[$1.slot] + $1.offset, $1.layout) }
      loop = nil
      let engine = try OneDNN.engine.get()
      for (argument, buffer) in buffers {
        var memory: dnnl_memory_t?
        let address = slots[buffer.slot] + buffer.offset
        try OneDNN.check(
          buffer.layout.read { dnnl_memory_create(&memory, $0, engine, address) }, "\(name): bind memory")
        arguments.append(dnnl_exec_arg_t(arg: argument, memory: memory))
      }
    }
  }

  var implementation: String { primitive?.implementation ?? "loop" }

  deinit { for argument in arguments { dnnl_memory_destroy(argument.memory) } }

  func run(on stream: dnnl_stream_t) throws {
    try loop?()
    guard let primitive else { return }
    try OneDNN.check(dnnl_primitive_execute(primitive.handle, stream, Int32(arguments.count), arguments), name)
  }

  /// - Returns: the images with a result that is not finite, none where results are not kept image by image; nil where all
  ///   are finite.
  func imagesNotFinite(of imageCount: Int) -> [Int]? {
    var found: [Int]?
    for (memory, layout) in results where layout.type == dnnl_f32 || layout.type == dnnl_bf16 {
      let isWide = layout.type == dnnl_f32
      let bytes = UnsafeRawBufferPointer(start: memory, count: layout.byteCount)
      let count = bytes.count / (isWide ? 4 : 2)
      let broken = (0..<count).filter {
        isWide
          ? !Float(bitPattern: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)).isFinite
          : bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self) & 0x7F80 == 0x7F80
      }
      guard !broken.isEmpty else { continue }
      // Activations are images one after another; parts of joined outputs are not.
      let isActivation = layout.shape.count == 4 && layout.shape[0] == imageCount && count % imageCount == 0
      let images = isActivation ? Set(broken.map { $0 / (count / imageCount) }) : []
      found = Set(found ?? []).union(images).sorted()
    }
    return found
  }
}
