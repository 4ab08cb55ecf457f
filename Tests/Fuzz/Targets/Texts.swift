import Configuration
import Datasets
import DetectionCore
import Foundation
import SamplingFree
import Training

extension FuzzTarget {
  /// Annotations beside two images.
  static let coco = FuzzTarget(
    "coco", seeds: { cocoSeeds.map { Array($0.utf8) } },
    mutate: { input, random, bytes in TextMutator.mutate(input, words: cocoWords, &random, bytes) }
  ) { input, folder in
    for name in ["a.png", "b.png"] where !FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
      try Image(width: 24, height: 16, grey: 90).writePNG(to: "\(folder)/\(name)")
    }
    try write(input, to: "\(folder)/annotations.json")
    let dataset = try COCODataset(annotations: "\(folder)/annotations.json", images: folder)
    for index in 0..<min(dataset.count, 4) {
      let sample = try dataset.sample(at: index)
      let (width, height) = (Float(sample.image.width), Float(sample.image.height))
      for annotation in sample.annotations {
        let box = annotation.box
        guard dataset.classNames.indices.contains(annotation.classIndex), box.width > 0, box.height > 0, box.x1 < width, box.y1 < height,
          [box.x1, box.y1, box.x2, box.y2].allSatisfy(\.isFinite), annotation.area.isFinite
        else { throw UnfitError(message: "read as \(annotation)") }
      }
    }
  }

  /// A configuration's text; after a line `--set`, an override a line.
  static let configuration = FuzzTarget(
    "configuration", seeds: { try configurationSeeds.map { Array($0.utf8) } },
    mutate: { input, random, bytes in TextMutator.mutate(input, words: configurationWords, &random, bytes) }
  ) { input, folder in
    for name in try recipes where !FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
      try write(contents(of: "\(packageRoot)/docs/recipes/\(name)"), to: "\(folder)/\(name)")
    }
    let lines = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let end = lines.firstIndex { $0.elementsEqual("--set".utf8) } ?? lines.endIndex
    try write(Array(lines[..<end].joined(separator: [UInt8(ascii: "\n")])), to: "\(folder)/experiment.yaml")
    let overrides = lines[end...].dropFirst().filter { !$0.isEmpty }.map { String(decoding: $0, as: UTF8.self) }
    let read = try ExperimentConfiguration.load("\(folder)/experiment.yaml", overrides: overrides)
    // What is saved with the weights is what was read.
    do {
      let saved = try ExperimentConfiguration(yaml: read.yaml, name: "saved")
      guard saved.yaml == read.yaml else { throw UnfitError(message: "saved as\n\(read.yaml)\nread as\n\(saved.yaml)") }
    } catch { throw UnfitError(message: "what is saved cannot be read: \(error)\n\(read.yaml)") }
    _ = try Strategies(read, registry: .standard)
    _ = (read.architecture, read.inputOptions(training: true), read.postProcessor, read.matcher, read.boxCoder)
  }

  /// `metrics.jsonl` of a run that is resumed: lines that cannot be read are dropped, whatever they are.
  static let metrics = FuzzTarget(
    "metrics",
    seeds: {
      [
        #"{"classification":0.9,"foreground":41,"loss":1.9,"step":0}"# + "\n" + #"{"evaluation":{"ap":0.5},"step":1}"# + "\n",
        #"{"step":0}"# + "\n" + #"{"step":1,"loss":null}"# + "\n" + #"{"step":5,"clas"#,
      ].map { Array($0.utf8) }
    },
    mutate: { input, random, bytes in
      TextMutator.mutate(input, words: ["\"step\"", "\"evaluation\"", "\n", "{\"step\":0}\n", "{\"step\":3}\n"], &random, bytes)
    }
  ) { input, folder in
    let path = "\(folder)/metrics.jsonl"
    try write(input, to: path)
    // Its file is closed when it goes.
    _ = try MetricsLog(path: path, firstStep: 2, keepsEvaluation: true)
    struct Line: Decodable { let step: Int }
    for line in try contents(of: path).split(separator: UInt8(ascii: "\n")) {
      let entry = try? JSONDecoder().decode(Line.self, from: Data(line))
      guard let entry, entry.step <= 2 else { throw UnfitError(message: "kept \(String(decoding: line, as: UTF8.self))") }
    }
  }

  private static let cocoSeeds = [
    """
    {"info": {"year": 2017}, "licenses": [], "images": [{"id": 1, "file_name": "a.png", "width": 24, "height": 16},
     {"id": 2, "file_name": "b.png", "width": 24, "height": 16}],
     "annotations": [
      {"id": 10, "image_id": 1, "category_id": 3, "bbox": [1.5, 2, 10, 8.25], "area": 80.5, "iscrowd": 0, "segmentation": [[1, 2, 3, 4]]},
      {"id": 11, "image_id": 2, "category_id": 90, "bbox": [0, 0, 24, 16], "area": 384, "iscrowd": 1, "segmentation": {"counts": [5], "size": [16, 24]}},
      {"id": 12, "image_id": 2, "category_id": 3, "bbox": [20, 10, 8, 8]}],
     "categories": [{"id": 3, "name": "cat", "supercategory": "animal"}, {"id": 90, "name": "dog"}]}
    """,
    #"{"images":[{"id":1,"file_name":"a.png","width":24,"height":16}],"annotations":[],"categories":[{"id":0,"name":"x"}]}"#,
  ]
  private static let cocoWords = TextMutator.words(of: cocoSeeds.map { Array($0.utf8) })

  private static var recipes: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: "\(packageRoot)/docs/recipes").filter { $0.hasSuffix(".yaml") }.sorted() }
  }

  private static var configurationSeeds: [String] {
    get throws {
      let texts = try recipes.map { String(decoding: try contents(of: "\(packageRoot)/docs/recipes/\($0)"), as: UTF8.self) }
      let overrides = "--set\ntrain.steps=100\nsampler={focal: {gamma: 2, alpha: 0.25}}\nbias=constant\ndata.name=tree-crowns\nplugins=[]\n"
      return texts.map { $0 + overrides } + [ExperimentConfiguration().yaml]
    }
  }
  /// With the strategies' names and parameters.
  private static let configurationWords =
    TextMutator.words(of: ((try? configurationSeeds) ?? []).map { Array($0.utf8) })
    + StrategyKind.allCases.flatMap { StrategyRegistry.standard.descriptions(of: $0) }.flatMap { [$0.name] + $0.parameters.map(\.name) }
    + ["base", "experiment.yaml", "retinanet-tiny.yaml", "\n--set\n", "\n  ", "\n", ": ", "{", "}", "[", "]"]
}
