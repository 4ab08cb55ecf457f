import COneDNN

/// A buffer of a program being built: a slot of memory, a layout and an offset into the slot.
struct Buffer {
  var slot: Int
  var layout: MemoryDescriptor
  /// In floats.
  var offset = 0
}

/// A piece of memory: part of the arena for the steps that use it, the program's own for good, or somebody else's.
struct Slot {
  enum Kind {
    case temporary
    /// Keeps its contents between runs.
    case persistent
    case pinned(UnsafeMutablePointer<Float>)
  }
  var byteCount: Int
  var kind = Kind.temporary
  /// Steps of preparation count backwards from -1, those of the backward pass on from the forward ones.
  var firstStep = Int.max
  var lastStep = Int.min

  var isUsed: Bool { firstStep <= lastStep }
  var isTemporary: Bool { if case .temporary = kind { true } else { false } }
}

/// One operation of a program: a oneDNN primitive with its arguments, or a loop of our own.
struct StepPlan {
  enum Work {
    case primitive(Primitive, [(Int32, Buffer)])
    /// Gets the start of each buffer, in order.
    case loop([Buffer], ([UnsafeMutablePointer<Float>]) throws -> Void)
  }
  let name: String
  let work: Work
  /// Multiplications and additions, of convolutions only.
  var flops = 0.0

  var buffers: [Buffer] {
    switch work {
    case .primitive(_, let arguments): arguments.map(\.1)
    case .loop(let buffers, _): buffers
    }
  }

  /// Of the operands, scratch memory left out.
  var bytes: Double {
    let operands =
      switch work {
      case .primitive(_, let arguments): arguments.filter { $0.0 != DNNL_ARG_SCRATCHPAD }.map(\.1)
      case .loop(let buffers, _): buffers
      }
    return operands.reduce(0) { $0 + Double($1.layout.byteCount) }
  }
}

/// What compilation gathers: slots, steps, and the kernels to lay out anew when parameters change.
struct ProgramBuilder {
  enum Phase: CaseIterable { case preparation, forward, backward }

  let parameters: Parameters
  /// Keeps gradients and the values that they need.
  let isTraining: Bool
  var slots: [Slot] = []
  private(set) var steps: [Phase: [StepPlan]] = [.preparation: [], .forward: [], .backward: []]
  var phase = Phase.forward
  private var prepared: [String: Buffer] = [:]
  /// By slot: a prepared buffer in other layouts.
  private var layouts: [Int: [Buffer]] = [:]
  private var reordered: [(slot: Int, offset: Int, buffer: Buffer)] = []
  /// By parameter: the slots through which its gradient is written. All steps but the first add to it.
  private var gradientSlots: [String: [Int]] = [:]

  /// More than a program has steps of preparation.
  private static let preparationLimit = 1 << 32

  init(parameters: Parameters, isTraining: Bool) {
    self.parameters = parameters
    self.isTraining = isTraining
  }

  // MARK: Memory

  /// Memory that lives from its first to its last step.
  mutating func temporary(_ layout: MemoryDescriptor) -> Buffer {
    slots.append(Slot(byteCount: layout.byteCount))
    return Buffer(slot: slots.count - 1, layout: layout)
  }

  mutating func pinned(_ layout: MemoryDescriptor, at pointer: UnsafeMutablePointer<Float>) -> Buffer {
    slots.append(Slot(byteCount: layout.byteCount, kind: .pinned(pointer)))
    return Buffer(slot: slots.count - 1, layout: layout)
  }

  /// Memory that keeps its contents between runs.
  mutating func persistent(_ layout: MemoryDescriptor) -> Buffer {
    slots.append(Slot(byteCount: layout.byteCount, kind: .persistent))
    return Buffer(slot: slots.count - 1, layout: layout)
  }

  // MARK: Steps

  mutating func run(_ primitive: Primitive, _ arguments: [(Int32, Buffer)], flops: Double = 0, name: String) throws {
    var arguments = arguments
    if let layout = try primitive.layout(dnnl_query_scratchpad_md), layout.byteCount > 0 {
      arguments.append((DNNL_ARG_SCRATCHPAD, temporary(layout)))
    }
    append(StepPlan(name: name, work: .primitive(primitive, arguments), flops: flops))
  }

  mutating func run(_ buffers: [Buffer], name: String, _ body: @escaping ([UnsafeMutablePointer<Float>]) throws -> Void) {
    append(StepPlan(name: name, work: .loop(buffers, body)))
  }

  private mutating func append(_ step: StepPlan) {
    steps[phase, default: []].append(step)
    let counts = Phase.allCases.map { steps[$0, default: []].count }
    let index =
      switch phase {
      case .preparation: counts[0] - 1 - Self.preparationLimit
      case .forward: counts[1] - 1
      case .backward: counts[1] + counts[2] - 1
      }
    for buffer in step.buffers {
      slots[buffer.slot].firstStep = min(slots[buffer.slot].firstStep, index)
      slots[buffer.slot].lastStep = max(slots[buffer.slot].lastStep, index)
    }
  }

  /// The same values in another layout, by a reorder unless it is that layout already. A reorder is done once.
  mutating func reordered(_ buffer: Buffer, to layout: MemoryDescriptor, name: String) throws -> Buffer {
    if buffer.layout == layout { return buffer }
    if let known = reordered.first(where: {
      $0.slot == buffer.slot && $0.offset == buffer.offset && $0.buffer.layout == layout
    }) { return known.buffer }
    let result = temporary(layout)
    try reorder(buffer, into: result, name: name)
    reordered.append((buffer.slot, buffer.offset, result))
    return result
  }

  /// To be called when a buffer is overwritten in place: neither its copies nor, where it is a copy, its original are
  /// the same values any longer.
  mutating func forgetReorders(of buffer: Buffer) {
    reordered.removeAll { $0.slot == buffer.slot || $0.buffer.slot == buffer.slot }
  }

  mutating func reorder(_ source: Buffer, into target: Buffer, accumulate: Bool = false, name: String) throws {
    let primitive = try Primitive.reorder(
      from: source.layout, to: target.layout, accumulate: accumulate, name: name)
    try run(primitive, [(DNNL_ARG_FROM, source), (DNNL_ARG_TO, target)], name: "\(name) reorder")
  }

  // MARK: Parameters

  /// A parameter as it lies in `Parameters`.
  mutating func parameter(_ path: String) throws -> Buffer {
    let shape = try parameters.entry(path).declaration.shape
    return try prepare("parameter \(path)") { builder in
      builder.pinned(try .plain(shape), at: try builder.parameters.pointer(path))
    }
  }

  /// A buffer derived from parameters, shared by all who ask for the same.
  ///
  /// For inference it is kept between runs and filled anew when parameters change. In training, where every step changes
  /// them, each phase derives its own, so that it takes memory only while the phase needs it.
  mutating func prepare(_ key: String, _ make: (inout ProgramBuilder) throws -> Buffer) throws -> Buffer {
    let key = isTraining ? "\(phase) \(key)" : key
    if let known = prepared[key] { return known }
    let buffer = try preparing { try make(&$0) }
    prepared[key] = buffer
    return buffer
  }

  /// `source`, itself prepared, in the layout that a primitive wants.
  mutating func prepared(_ source: Buffer, in layout: MemoryDescriptor, name: String) throws -> Buffer {
    if source.layout == layout, isTraining || !slots[source.slot].isTemporary { return source }
    if let known = layouts[source.slot]?.first(where: { $0.layout == layout }) { return known }
    let target = try preparing { builder in
      let target = builder.isTraining ? builder.temporary(layout) : builder.persistent(layout)
      try builder.reorder(source, into: target, name: name)
      return target
    }
    layouts[source.slot, default: []].append(target)
    return target
  }

  private mutating func preparing(_ make: (inout ProgramBuilder) throws -> Buffer) rethrows -> Buffer {
    let outer = phase
    if !isTraining { phase = .preparation }
    defer { phase = outer }
    return try make(&self)
  }

  /// Where a parameter's gradient goes, and whether to add to what is there.
  mutating func gradient(_ path: String) throws -> (buffer: Buffer, accumulate: Bool) {
    let shape = try parameters.entry(path).declaration.shape
    let buffer = pinned(try .plain(shape), at: try parameters.gradientPointer(path))
    defer { gradientSlots[path, default: []].append(buffer.slot) }
    return (buffer, gradientSlots[path] != nil)
  }

  /// For each step of the backward pass the parameters whose gradients are complete after it, as ranges of
  /// `Parameters.gradients`.
  func finishedGradients() throws -> [[Range<Int>]] {
    let forwardCount = steps[.forward, default: []].count
    var finished = [[Range<Int>]](repeating: [], count: steps[.backward, default: []].count)
    for entry in parameters.entries {
      guard let last = gradientSlots[entry.declaration.path]?.map({ slots[$0].lastStep }).max() else { continue }
      finished[last - forwardCount].append(entry.range)
    }
    return finished
  }

  /// Stores a gradient in a layout of oneDNN's choice.
  mutating func storeGradient(_ source: Buffer, path: String) throws {
    let (target, accumulate) = try gradient(path)
    try reorder(source, into: target, accumulate: accumulate, name: path)
  }
}
