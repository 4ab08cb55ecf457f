import CZlib
import DetectionCore
import Foundation
import SamplingFree
import Yams

extension FuzzTarget {
  /// HDF5 files with damage anywhere.
  static let weights = FuzzTarget(
    "weights", messageLines: 12, seeds: { try TinyDetector.files() + frameworkFiles(besides: ".keras.gz") },
    mutate: { input, random, bytes in bytes(input, &random) }, read: readWeights)

  /// Keras 3's archives, packed anew so that checksums are right.
  static let archive = FuzzTarget(
    "archive", messageLines: 12, seeds: { try frameworkFiles(only: ".keras.gz") }, mutate: Archive.mutate, read: readWeights)

  /// Sound HDF5 files that say what is not so: the input is YAML, from which the file is written. What is under `model` is a
  /// tensor's shape, in the place of the tiny detector's or besides; all else are attributes.
  static let weightsContent = FuzzTarget(
    "weights-content", messageLines: 12, seeds: { contentSeeds.map { Array($0.utf8) } },
    mutate: { input, random, bytes in TextMutator.mutate(input, words: contentWords, &random, bytes) }
  ) { input, folder in
    guard let root = try? Yams.compose(yaml: String(decoding: input, as: UTF8.self))?.mapping else { return }
    let plain = try TinyDetector.weights()
    let path = "\(folder)/weights.h5"
    let written: Void? = try? HDF5File.writeAtomically(to: path) { file in
      for (key, value) in root { if let name = key.string, name != "model" { try file.root.setAttribute(name, HDF5Value(value)) } }
      let model = try file.root.createGroup("model")
      let changed = root["model"]?.mapping ?? [:]
      for (name, tensor) in plain.tensors.sorted(by: { $0.key < $1.key }) where changed[Node(name)] == nil {
        try model.createDataset(name, shape: tensor.shape, values: tensor.values, storage: .checked())
      }
      for (key, value) in changed {
        let shape = (value.sequence ?? []).map { $0.int ?? 0 }
        guard let name = key.string, shape.allSatisfy((0...64).contains), shape.reduce(1, *) <= 4096 else { continue }
        try model.createDataset(
          name, shape: shape, values: [Float](repeating: value.scalar?.string == "nan" ? .nan : 0.1, count: shape.reduce(1, *)), storage: .checked())
      }
    }
    // What cannot be written is nothing to read.
    if written != nil { try readWeights(path) }
  }

  private static func readWeights(_ input: [UInt8], folder: String) throws {
    try write(input, to: "\(folder)/weights.h5")
    try readWeights("\(folder)/weights.h5")
  }

  /// As `inspect`, `detect` and `train --resume` do.
  private static func readWeights(_ path: String) throws {
    _ = try WeightsFile.summary(path)
    let weights = try WeightsFile.read(path)
    if weights.metadata.detector == WeightsMetadata.backbone { return }
    if weights.metadata.convention == Convention.native.name { _ = try? WeightsFile.readCheckpoint(path) }
    let runner = try DetectionRunner(weights: weights, registry: .standard)
    guard runner.thresholds.count == runner.classNames.count, !runner.thresholds.contains(where: \.isNaN) else {
      throw UnfitError(message: "thresholds \(runner.thresholds) of \(runner.classNames.count) classes")
    }
    // The networks of sound files take a moment; what a file may ask for is another matter than whether it is read.
    guard case .fixed(let width, let height) = runner.options.size, width * height <= 4096, runner.classNames.count < 100 else { return }
    for detection in try runner.detect([Image(width: 40, height: 30, grey: 128)]).joined() {
      guard detection.score.isFinite, detection.box.x1.isFinite, detection.box.x2.isFinite else { throw UnfitError(message: "found \(detection)") }
    }
  }

  /// The frameworks' files of the tests, unpacked.
  private static func frameworkFiles(only ending: String = ".gz", besides other: String? = nil) throws -> [[UInt8]] {
    let folder = "\(packageRoot)/Tests/Weights/Goldens"
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().filter { name in
      name.hasSuffix(ending) && !(other.map(name.hasSuffix) ?? false)
    }.map { name in
      guard let file = gzopen("\(folder)/\(name)", "rb") else { throw UnfitError(message: name) }
      defer { gzclose(file) }
      var bytes: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 1 << 16)
      while case let count = gzread(file, &piece, UInt32(piece.count)), count > 0 { bytes += piece.prefix(Int(count)) }
      return bytes
    }
  }

  private static var contentSeeds: [String] {
    let configuration = (try? TinyDetector.configuration(output: "run").yaml) ?? ""
    let indented = configuration.split(separator: "\n").map { "  \($0)\n" }.joined()
    return [
      """
      format_version: 1
      detector: retinanet
      convention: native
      class_names: ["cat", "dog"]
      statistics_anchor_count: 1000
      statistics_image_count: 10
      statistics_foreground_counts: [20, 30]
      statistics_object_counts: [4, 5]
      statistics_image_counts: [3, 4]
      calibrated_thresholds: [0.5, 0.25]
      configuration: |
      \(indented)model: { heads/classification/logits/bias: [2] }
      """,
      """
      format_version: 1
      detector: backbone
      convention: torchvision
      class_names: ["a"]
      configuration: "seed: 1"
      """,
    ]
  }
  private static let contentWords =
    TextMutator.words(of: contentSeeds.map { Array($0.utf8) })
    + ["keras-applications", "keras-retinanet", "backbone", "layer_names", "weight_names", "keras_version", "model_config", "nan", "model", "\n", "\n  "]
    + (((try? TinyDetector.weights().tensors.keys.sorted()) ?? []))
}

extension HDF5Value {
  /// A number, a text or a list of either.
  fileprivate init(_ node: Node) {
    let items = node.sequence.map { Array($0) }
    let all = items ?? [node]
    let shape = items.map { [$0.count] } ?? []
    if let values = all.map(\.int) as? [Int] {
      self = .integers(values, shape: shape)
    } else if let values = all.map(\.float) as? [Double] {
      self = .floats(values, shape: shape)
    } else {
      self = .strings(all.map { $0.string ?? "" }, shape: shape)
    }
  }
}

/// A zip archive's files, stored as they are.
private enum Archive {
  static func mutate(_ input: [UInt8], _ random: inout SeededGenerator, _ mutator: ByteMutator) -> [UInt8] {
    guard random.chance(2, in: 3), var files = files(of: input), !files.isEmpty else { return mutator(input, &random) }
    let index = random.index(below: files.count)
    switch random.index(below: 6) {
    case 0: files[index].name = random.pick(["config.json", "model.weights.h5", "metadata.json", "../a", "", "/a"])
    case 1: files.remove(at: index)
    case 2: files.append(files[index])
    default:
      files[index].bytes = files[index].name.hasSuffix(".json")
        ? TextMutator.mutate(files[index].bytes, words: TextMutator.words(of: [files[index].bytes]), &random, mutator) : mutator(files[index].bytes, &random)
    }
    return pack(files)
  }

  private typealias File = (name: String, bytes: [UInt8])

  /// - Returns: nil where a file is packed in another way, as in none of the seeds.
  private static func files(of zip: [UInt8]) -> [File]? {
    func number(_ position: Int, _ width: Int) -> Int { (0..<width).reduce(0) { $0 | Int(zip[position + $1]) << (8 * $1) } }
    var files: [File] = []
    var position = 0
    while position + 30 <= zip.count, zip[position..<position + 4].elementsEqual([0x50, 0x4B, 3, 4]) {
      let (size, nameLength, extra) = (number(position + 18, 4), number(position + 26, 2), number(position + 28, 2))
      let start = position + 30 + nameLength + extra
      guard number(position + 8, 2) == 0, start + size <= zip.count else { return nil }
      files.append((String(decoding: zip[position + 30..<position + 30 + nameLength], as: UTF8.self), Array(zip[start..<start + size])))
      position = start + size
    }
    return files
  }

  private static func pack(_ files: [File]) -> [UInt8] {
    func little(_ value: Int, _ width: Int) -> [UInt8] { (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    var (bytes, directory): ([UInt8], [UInt8]) = ([], [])
    for file in files {
      let name = Array(file.name.utf8)
      let sum = Int(crc32(0, file.bytes, UInt32(file.bytes.count)))
      let common = little(20, 2) + little(0, 2) + little(0, 2) + little(0, 4) + little(sum, 4) + little(file.bytes.count, 4)
        + little(file.bytes.count, 4) + little(name.count, 2) + little(0, 2)
      directory += [0x50, 0x4B, 1, 2] + little(20, 2) + common + little(0, 2) + little(0, 2) + little(0, 2) + little(0, 4)
        + little(bytes.count, 4) + name
      bytes += [0x50, 0x4B, 3, 4] + common + name + file.bytes
    }
    return bytes + directory + [0x50, 0x4B, 5, 6] + little(0, 4) + little(files.count, 2) + little(files.count, 2)
      + little(directory.count, 4) + little(bytes.count, 4) + little(0, 2)
  }
}
