import Foundation
import SamplingFree
import TestSupport
import Testing

/// `--precision bf16`, on machines with and without it.
@Suite struct PrecisionCommandTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let weights = root.appendingPathComponent("weights/digit-scenes-sampling-free.h5").path
  static let recipe = root.appendingPathComponent("docs/recipes/digit-scenes.yaml").path
  /// What the engine may use of a machine without bf16.
  static let without = ["ONEDNN_MAX_CPU_ISA": "AVX512_CORE"]
  static let note = "this machine has no bf16 instructions: computing in fp32\n"

  static func evaluate(_ precision: String, _ environment: [String: String] = [:]) throws -> (COCOResult, String) {
    let result = try Command.run(
      "evaluate", recipe, weights, "--precision", precision, "--json", "--set", "data.validationCount=60",
      in: TemporaryDirectory(), environment: environment)
    return (try JSONDecoder().decode(COCOResult.self, from: Data(result.output.utf8)), result.messages)
  }

  /// 0.2 points of AP at most.
  @Test func averagePrecisionIsNearThatOfFP32() throws {
    let (exact, exactMessages) = try Self.evaluate("fp32")
    let (rounded, messages) = try Self.evaluate("bf16")
    #expect(exact.ap > 0.5 && abs(rounded.ap - exact.ap) < 0.002, "\(rounded.ap) \(exact.ap)")
    #expect(exactMessages.isEmpty && messages == (Precision.bf16.isSupported ? "" : Self.note))
  }

  @Test func withoutInstructionsItIsFP32AndSaidSo() throws {
    let (exact, _) = try Self.evaluate("fp32", Self.without)
    let (other, messages) = try Self.evaluate("bf16", Self.without)
    #expect(other == exact && messages == Self.note, "\(messages)")
  }

  @Test func anotherPrecisionIsAMistake() throws {
    let option = try Command.run("evaluate", Self.recipe, Self.weights, "--precision", "fp16", in: TemporaryDirectory())
    #expect(option.status == 2 && option.messages.contains("fp16") && option.messages.contains("bf16"), "\(option.messages)")
    let key = try Command.run("evaluate", Self.recipe, Self.weights, "--set", "precision=bf61", in: TemporaryDirectory())
    #expect(key.status == 1 && key.messages.contains("\"bf16\""), "\(key.messages)")
  }

  /// Parameters stay fp32: steps far smaller than bf16 can tell apart are taken.
  @Test func trainingInBF16SavesParametersInFP32() throws {
    let directory = try TemporaryDirectory()
    _ = try directory.write(TrainedRun.yaml, to: "tiny.yaml")
    let result = try Command.run("train", "tiny.yaml", "--set", "precision=bf16", "--set", "detector.backbone.width=16", in: directory)
    #expect(result.status == 0 && result.messages.contains("has no bf16") != Precision.bf16.isSupported, "\(result.messages)")
    let weights = try WeightsFile.read(directory.file("run/weights.h5"))
    let values = weights.tensors.values.flatMap(\.values)
    #expect(values.contains { $0.bitPattern & 0xFFFF != 0 })
    #expect(weights.metadata.configuration.contains("precision: bf16"))
  }
}
