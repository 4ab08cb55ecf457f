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
  private let stream: Stream
  private let arena: ProgramArena
  private let places: [SlotPlace]
  private let ownedMemory: [AlignedMemory]
  private let preparation: [Step]
  private let forwardSteps: [Step]
  private let backwardSteps: [Step]
  /// By step of the backward pass.
  private let finishedGradients: [[Range<Int>]]
  private let input: Buffer
  private let outputs: [OutputPlan]
  private var preparedVersion = -1
  /// Where the arena was when the steps were bound to it.
  private var base: UnsafeMutablePointer<Float>

  /// - Parameters:
  ///   - inputShape: [images, channels, height, width].
  ///   - training: whether `backward` will be called and batch normalisation uses the batch's statistics.
  ///   - precision: of kernels and activations. fp32 instead where the machine lacks it: see `Precision.isSupported`.
  ///   - sumOverProcesses: with it batch normalisation in training has the statistics of all processes' images: replaces
  ///     each value by its sum over the processes, which all run the same program at the same time.
  ///   - arena: memory that the program shares with others that run at other times. A forward pass ends what others have
  ///     there, their outputs excepted; a backward pass therefore follows its own forward pass.
  /// - Throws: `EngineError` where the shapes do not fit, or the machine has not so much memory.
  public static func compile(
    _ graph: Graph, parameters: Parameters, inputShape: [Int], training: Bool, precision: Precision = .fp32,
    sumOverProcesses: SumOverProcesses? = nil, arena: ProgramArena = ProgramArena()
  ) throws -> Program {
    var compiler = Compiler(
      graph: graph, parameters: parameters, input: inputShape, isTraining: training, precision: precision.supported,
      sumOverProcesses: sumOverProcesses)
    return try Program(compiler.compile(), arena: arena)
  }

  /// The bytes that a program would take, its outputs among them, without taking them.
  /// - Throws: `EngineError` where the shapes do not fit.
  public static func byteCount(
    _ graph: Graph, parameters: Parameters, inputShape: [Int], training: Bool, precision: Precision = .fp32
  ) throws -> Int {
    var compiler = Compiler(
      graph: graph, parameters: parameters, input: inputShape, isTraining: training, precision: precision.supported,
      sumOverProcesses: nil)
    let plan = try MemoryPlan(compiler.compile().builder)
    return plan.arenaByteCount + plan.persistentByteCount
  }

  /// See `compile`.
  public typealias SumOverProcesses = (inout [Double]) throws -> Void

  init(_ graph: CompiledGraph, arena: ProgramArena = ProgramArena()) throws {
    let builder = graph.builder
    let plan = MemoryPlan(builder)
    try MemoryNeed([("activations", max(0, plan.arenaByteCount - arena.byteCount)), ("inputs and outputs", plan.persistentByteCount)])
      .require("a program for an input of shape \(graph.input.layout.shape)")
    let base = try arena.reserve(plan.arenaByteCount)
    var owned: [AlignedMemory] = []
    places = try builder.slots.indices.map { slot in
      switch builder.slots[slot].kind {
      case .temporary: return .arena(offset: plan.offsets[slot])
      case .pinned(let pointer): return .fixed(pointer)
      case .persistent:
        let memory = try AlignedMemory(count: (builder.slots[slot].byteCount + 3) / 4)
        owned.append(memory)
        return .fixed(memory.start)
      }
    }
    ownedMemory = owned
    stream = try Stream()
    self.arena = arena
    self.base = base
    arenaByteCount = plan.arenaByteCount
    parameters = builder.parameters
    input = graph.input
    outputs = graph.outputs
    inputShape = graph.input.layout.shape
    let (places, byteCounts) = (places, builder.slots.map(\.byteCount))
    preparation = try builder.steps[.preparation, default: []].map { try Step($0, places, byteCounts, base) }
    forwardSteps = try builder.steps[.forward, default: []].map { try Step($0, places, byteCounts, base) }
    backwardSteps = try builder.steps[.backward, default: []].map { try Step($0, places, byteCounts, base) }
    finishedGradients = try builder.finishedGradients()
  }

  // MARK: Running

  /// NCHW pixels, to be filled before `forward`.
  public var inputValues: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: places[input.slot].pointer(base), count: inputShape.reduce(1, *))
  }

  /// - Throws: `EngineError` if oneDNN fails.
  public func forward() throws {
    try takeArena()
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
  /// - Throws: `EngineError` where another program has run in the same arena since `forward`, or oneDNN fails.
  public func backward(didStep: (_ finished: [Range<Int>]) throws -> Void = { _ in }) throws {
    guard arena.user === self else { throw EngineError("a backward pass without its forward pass right before it") }
    for (step, finished) in zip(backwardSteps, finishedGradients) {
      try step.run(on: stream.handle)
      try didStep(finished)
    }
  }

  private func run(_ steps: [Step]) throws {
    for step in steps { try step.run(on: stream.handle) }
  }

  /// Makes the arena this program's, wherever it is now.
  private func takeArena() throws {
    let start = try arena.reserve(arenaByteCount)
    if start != base {
      base = start
      for step in preparation + forwardSteps + backwardSteps { try step.bind(start) }
    }
    arena.user = self
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
    return UnsafeBufferPointer(start: places[plan.value.slot].pointer(base), count: plan.shape.reduce(1, *))
  }

  /// Where the loss writes its gradient before `backward`. Empty in programs for inference.
  public func gradient(of output: Graph.Output) -> UnsafeMutableBufferPointer<Float> {
    let plan = outputs[output.index]
    guard let gradient = plan.gradient else { return UnsafeMutableBufferPointer(start: nil, count: 0) }
    return UnsafeMutableBufferPointer(start: places[gradient.slot].pointer(base), count: plan.shape.reduce(1, *))
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
    try takeArena()
    return try (forwardSteps + (includingBackward ? backwardSteps : [])).map { step in
      let start = Self.seconds(clock)
      try step.run(on: stream.handle)
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
    try takeArena()
    // What an earlier pass left in the memory is not this one's result.
    base.update(repeating: 0, count: arenaByteCount / MemoryLayout<Float>.stride)
    _ = inputValues.update(fromContentsOf: pixels)
    preparedVersion = -1
    for step in preparation + forwardSteps {
      try step.run(on: stream.handle)
      if let images = step.imagesNotFinite(of: inputShape[0], base) { return (step.name, images) }
    }
    return nil
  }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// Where a slot's memory is.
enum SlotPlace {
  case fixed(UnsafeMutablePointer<Float>)
  /// Bytes from the arena's beginning.
  case arena(offset: Int)

  func pointer(_ base: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
    switch self {
    case .fixed(let pointer): pointer
    case .arena(let offset): base + offset / MemoryLayout<Float>.stride
    }
  }
}

/// What compilation makes of a graph, before it has memory.
struct CompiledGraph {
  let builder: ProgramBuilder
  let input: Buffer
  let outputs: [Program.OutputPlan]
}

/// The memory that a program wants.
struct MemoryPlan {
  /// By slot; of those in the arena, in bytes.
  let offsets: [Int]
  let arenaByteCount: Int
  let persistentByteCount: Int

  init(_ builder: ProgramBuilder) {
    let arenaSlots = builder.slots.indices.filter { builder.slots[$0].isTemporary && builder.slots[$0].isUsed }
    let plan = ArenaPlan.offsets(
      of: arenaSlots.map {
        let slot = builder.slots[$0]
        return ArenaPlan.Request(byteCount: slot.byteCount, lifetime: slot.firstStep...slot.lastStep)
      })
    var offsets = [Int](repeating: 0, count: builder.slots.count)
    for (slot, offset) in zip(arenaSlots, plan.offsets) { offsets[slot] = offset }
    self.offsets = offsets
    arenaByteCount = plan.byteCount
    persistentByteCount = builder.slots.reduce(0) { if case .persistent = $1.kind { $0 + $1.byteCount } else { $0 } }
  }
}

/// A oneDNN stream.
private final class Stream {
  let handle: dnnl_stream_t

  init() throws {
    var stream: dnnl_stream_t?
    try OneDNN.check(dnnl_stream_create(&stream, try OneDNN.engine.get(), dnnl_stream_default_flags.rawValue), "create a stream")
    guard let stream else { throw EngineError("oneDNN made no stream") }
    handle = stream
  }

  deinit { dnnl_stream_destroy(handle) }
}

/// A step bound to its memory.
private final class Step {
  let name: String
  let flops: Double
  let bytes: Double
  private let primitive: Primitive?
  private var arguments: [dnnl_exec_arg_t] = []
  private let loop: (([UnsafeMutablePointer<Float>]) throws -> Void)?
  private var pointers: [UnsafeMutablePointer<Float>] = []
  /// Of the arguments or the loop's buffers: where they are, and how many floats on.
  private let operands: [(place: SlotPlace, offset: Int)]
  /// A primitive's result; of a loop all it sees. `operand` is an index.
  private let results: [(operand: Int, layout: MemoryDescriptor, byteCount: Int)]

  /// - Parameters:
  ///   - places: of the slots.
  ///   - byteCounts: of the slots.
  init(_ plan: StepPlan, _ places: [SlotPlace], _ byteCounts: [Int], _ base: UnsafeMutablePointer<Float>) throws {
    name = plan.name
    flops = plan.flops
    bytes = plan.bytes
    operands = plan.buffers.map { (places[$0.slot], $0.offset) }
    /// A part of a joined output is described as if its rows were its own.
    func extent(_ buffer: Buffer) -> Int {
      min(buffer.layout.byteCount, byteCounts[buffer.slot] - buffer.offset * MemoryLayout<Float>.stride)
    }
    switch plan.work {
    case .loop(let buffers, let body):
      results = buffers.enumerated().map { ($0.offset, $0.element.layout, extent($0.element)) }
      primitive = nil
      loop = body
      pointers = operands.map { $0.place.pointer(base) + $0.offset }
    case .primitive(let primitive, let buffers):
      self.primitive = primitive
      results = buffers.enumerated().filter { $0.element.0 == DNNL_ARG_DST }.map {
        ($0.offset, $0.element.1.layout, extent($0.element.1))
      }
      loop = nil
      let engine = try OneDNN.engine.get()
      for ((argument, buffer), operand) in zip(buffers, operands) {
        var memory: dnnl_memory_t?
        let address = operand.place.pointer(base) + operand.offset
        try OneDNN.check(buffer.layout.read { dnnl_memory_create(&memory, $0, engine, address) }, "\(name): bind memory")
        arguments.append(dnnl_exec_arg_t(arg: argument, memory: memory))
      }
    }
  }

  var implementation: String { primitive?.implementation ?? "loop" }

  deinit { for argument in arguments { dnnl_memory_destroy(argument.memory) } }

  /// Follows the arena to where it is now.
  func bind(_ base: UnsafeMutablePointer<Float>) throws {
    for (i, operand) in operands.enumerated() {
      guard case .arena = operand.place else { continue }
      let pointer = operand.place.pointer(base) + operand.offset
      if primitive == nil {
        pointers[i] = pointer
      } else {
        try OneDNN.check(dnnl_memory_set_data_handle(arguments[i].memory, pointer), "\(name): bind memory")
      }
    }
  }

  func run(on stream: dnnl_stream_t) throws {
    try loop?(pointers)
    guard let primitive else { return }
    try OneDNN.check(dnnl_primitive_execute(primitive.handle, stream, Int32(arguments.count), arguments), name)
  }

  /// - Returns: the images with a result that is not finite, none where results are not kept image by image; nil where all
  ///   are finite.
  func imagesNotFinite(of imageCount: Int, _ base: UnsafeMutablePointer<Float>) -> [Int]? {
    var found: [Int]?
    for (operand, layout, byteCount) in results where layout.type == dnnl_f32 || layout.type == dnnl_bf16 {
      let isWide = layout.type == dnnl_f32
      let bytes = UnsafeRawBufferPointer(
        start: operands[operand].place.pointer(base) + operands[operand].offset, count: byteCount)
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
