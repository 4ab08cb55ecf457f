import NeuralNetwork
import TestSupport
import Testing

/// Programs of one network share the memory of what lives only while they run.
@Suite struct ProgramArenaTests {
  let graph: Graph
  let output: Graph.Output
  let parameters: Parameters

  init() throws {
    var graph = Graph()
    var x = graph.input(channels: 3)
    for i in 0..<4 {
      let y = graph.convolution(x, path: "c\(i)", channels: 16, kernel: 3, relu: i % 2 == 0)
      x = i > 1 ? graph.add(graph.groupNormalization(y, path: "n\(i)", groups: 4), x) : y
    }
    output = graph.output([x], name: "x")
    self.graph = graph
    parameters = try Parameters(graph.parameters, seed: 3)
  }

  func program(_ side: Int, training: Bool, _ arena: ProgramArena) throws -> Program {
    let program = try Program.compile(
      graph, parameters: parameters, inputShape: [1, 3, side, side], training: training, arena: arena)
    for i in program.inputValues.indices { program.inputValues[i] = Float((i * 7919) % 2003) / 1000 - 1 }
    return program
  }

  /// Values, and gradients where it trains.
  func results(_ program: Program) throws -> [Float] {
    try program.forward()
    guard program.gradient(of: output).count > 0 else { return Array(program.values(of: output)) }
    program.gradient(of: output).update(repeating: 0.5)
    try program.backward()
    return Array(program.values(of: output)) + Array(parameters.gradients)
  }

  @Test func programsThatTakeTurnsGiveWhatTheyGiveAlone() throws {
    let kinds = [(16, true), (24, false), (48, true), (16, false), (64, true)]
    let alone = try kinds.map { try results(program($0.0, training: $0.1, ProgramArena())) }
    let arena = ProgramArena()
    var programs: [Program] = []
    for (side, training) in kinds {
      // Each is made when others have run already, and may move the arena under them.
      programs.append(try program(side, training: training, arena))
      for (index, program) in programs.enumerated() { #expect(try results(program) == alone[index]) }
    }
    for index in [2, 0, 4, 1, 3, 0] { #expect(try results(programs[index]) == alone[index]) }
    #expect(arena.byteCount == programs.map(\.arenaByteCount).max())
  }

  @Test func outputsStayWhenAnotherProgramRuns() throws {
    let arena = ProgramArena()
    let (first, second) = (try program(16, training: false, arena), try program(64, training: false, arena))
    let values = try results(first)
    _ = try results(second)
    #expect(Array(first.values(of: output)) == values)
  }

  @Test func aBackwardPassFollowsItsForwardPass() throws {
    let arena = ProgramArena()
    let (first, second) = (try program(16, training: true, arena), try program(24, training: true, arena))
    try first.forward()
    try second.forward()
    #expect(throws: EngineError.self) { try first.backward() }
    try second.backward()
  }
}

@Suite struct MemoryNeedTests {
  @Test func whatIsTooMuchIsSaidWithItsParts() throws {
    let need = MemoryNeed([("weights", 3 << 30), ("momentum", 1 << 30), ("nothing", 0)])
    try need.require("it", available: 4 << 30)
    try need.require("it", available: nil)
    let error = try thrown(EngineError.self) { try need.require("the net", advice: "lower x", available: 3_800_000_000) }
    #expect(
      error.description
        == "the net needs 4.0 GiB of memory (weights 3.0 GiB, momentum 1.0 GiB), this process can have 3.5 GiB: lower x")
  }

  @Test func numbersTooLargeToBeCountedAreTooMuch() throws {
    #expect(MemoryNeed.product([1 << 40, 1 << 40]) == .max && MemoryNeed.product([7, 0, .max]) == 0)
    #expect(MemoryNeed([("a", .max), ("b", .max)]).byteCount == .max)
    #expect(MemoryNeed.text(.max) == "8.0 EiB" && MemoryNeed.text(1000) == "1000 bytes" && MemoryNeed.text(1_500_000) == "1.4 MiB")
    #expect(throws: EngineError.self) {
      try Parameters(
        [ParameterDeclaration(path: "k", shape: [1 << 40, 1 << 40], initializer: .constant(0), isTrainable: true)], seed: nil)
    }
    #expect(throws: EngineError.self) {
      try Parameters(
        [ParameterDeclaration(path: "k", shape: [1 << 46], initializer: .constant(0), isTrainable: true)], seed: nil)
    }
  }

  @Test func theMachineSaysWhatItHas() throws {
    let bytes = try #require(AvailableMemory.byteCount)
    #expect(bytes > 1 << 20 && bytes < 1 << 50)
  }

  @Test func aProgramIsPlannedAsItIsMade() throws {
    var graph = Graph()
    let output = graph.output([graph.convolution(graph.input(channels: 3), path: "c", channels: 32, kernel: 3)], name: "y")
    let parameters = try Parameters(graph.parameters, seed: 3)
    let shape = [2, 3, 64, 64]
    let planned = try Program.byteCount(graph, parameters: parameters, inputShape: shape, training: true)
    let program = try Program.compile(graph, parameters: parameters, inputShape: shape, training: true)
    #expect(planned > program.arenaByteCount + 4 * (program.values(of: output).count * 2 + program.inputValues.count) - 1)
    // An input of terabytes is refused before it is there.
    let error = try thrown(EngineError.self) {
      try Program.compile(graph, parameters: parameters, inputShape: [1 << 14, 3, 1 << 12, 1 << 12], training: true)
    }
    #expect(error.description.contains("TiB"), "\(error)")
  }
}
