// What libFuzzer calls. The environment says which target: FUZZ_TARGET; and where its seeds
// are to be written: FUZZ_SEEDS.
import DetectionCore
import Foundation
import FuzzTargets

private let target: FuzzTarget = {
  let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
  guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
    fatalError("FUZZ_TARGET is one of \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
  }
  return target
}()

private let folder: String = {
  let path = "\(NSTemporaryDirectory())/fuzz-\(target.name)-\(getpid())"
  do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch { fatalError("\(error)") }
  return path
}()

@_silgen_name("LLVMFuzzerMutate")
private func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ most: Int) -> Int

@_silgen_name("LLVMFuzzerRunDriver")
private func drive(
  _ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// What the package manager takes for the main function.
@_cdecl("fuzz_main")
public func start(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
  var (count, arguments) = (count, arguments)
  return drive(&count, &arguments, test)
}

@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeRawPointer, _ arguments: UnsafeRawPointer) -> Int32 {
  guard let seeds = ProcessInfo.processInfo.environment["FUZZ_SEEDS"] else { return 0 }
  do {
    for (index, seed) in try target.seeds().enumerated() { try Data(seed).write(to: URL(fileURLWithPath: "\(seeds)/seed-\(index)")) }
  } catch { fatalError("\(error)") }
  return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func test(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
  let input = Array(UnsafeBufferPointer(start: data, count: size))
  do { _ = try target.message(for: input, folder: folder) } catch { fatalError("\(error)") }
  return 0
}

@_cdecl("LLVMFuzzerCustomMutator")
public func customMutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ most: Int, _ seed: UInt32) -> Int {
  var random = SeededGenerator(seed: UInt64(seed))
  // libFuzzer's own changes come from what it has seen compared; plain ones go further at a time.
  let bytes = random.index(below: 2) == 0 ? ByteMutator.plain : ByteMutator { input, _ in
    var buffer = input + [UInt8](repeating: 0, count: 64)
    let size = buffer.withUnsafeMutableBufferPointer { $0.baseAddress.map { mutate($0, input.count, input.count + 64) } ?? 0 }
    return Array(buffer.prefix(size))
  }
  let changed = target.mutate(Array(UnsafeBufferPointer(start: data, count: size)), &random, bytes).prefix(most)
  for (index, byte) in changed.enumerated() { data[index] = byte }
  return changed.count
}
