import Foundation
import SamplingFree
import TestSupport
import Testing

/// Classes are matched by name wherever a detector meets a data set or other weights.
@Suite(.serialized) struct ClassOrderTests {
  init() { useThreads(1) }

  /// Bright and dark squares; of the same objects under other orders or names of the classes.
  struct Squares: DetectionDataset {
    var classNames = ["bright", "dark"]
    /// Of (bright, dark).
    var classIndexes = [0, 1]
    let count = 4

    func header(at index: Int) -> SampleHeader {
      let boxes = [Box(x: Float(4 + 4 * index), y: 8, width: 20, height: 22), Box(x: Float(32 + 2 * index), y: 36, width: 22, height: 20)]
      return SampleHeader(
        id: index, width: 64, height: 64,
        annotations: zip(boxes, classIndexes).map { Annotation(box: $0, classIndex: $1) })
    }
    func sample(at index: Int) -> Sample {
      var image = Image(width: 64, height: 64, grey: 110)
      for (object, grey) in zip(header(at: index).annotations, [250, 10] as [UInt8]) {
        for y in Int(object.box.y1)..<Int(object.box.y2) {
          for x in Int(object.box.x1)..<Int(object.box.x2) {
            for c in 0..<3 { image.pixels[3 * (64 * y + x) + c] = grey }
          }
        }
      }
      return Sample(id: index, image: image, annotations: header(at: index).annotations)
    }
  }

  static func write(_ dataset: Squares, to directory: TemporaryDirectory, as name: String) throws -> String {
    var images: [String] = []
    var annotations: [String] = []
    for index in 0..<dataset.count {
      let sample = dataset.sample(at: index)
      try sample.image.writePNG(to: directory.file("\(index).png"))
      images.append(#"{"id": \#(index), "file_name": "\#(index).png", "width": 64, "height": 64}"#)
      for object in sample.annotations {
        let box = object.box
        annotations.append(
          #"{"id": \#(annotations.count + 1), "image_id": \#(index), "category_id": \#(object.classIndex + 1), "bbox": [\#(box.x1), \#(box.y1), \#(box.width), \#(box.height)], "area": 400, "iscrowd": 0}"#)
      }
    }
    let categories = dataset.classNames.enumerated().map { #"{"id": \#($0 + 1), "name": "\#($1)"}"# }
    return try directory.write(
      #"{"images": [\#(images.joined(separator: ","))], "annotations": [\#(annotations.joined(separator: ","))], "categories": [\#(categories.joined(separator: ","))]}"#,
      to: name)
  }

  static func configuration(
    _ directory: TemporaryDirectory, train: String, validation: String? = nil, run: String, _ overrides: String...
  ) throws -> ExperimentConfiguration {
    try ExperimentConfiguration(
      yaml: TinyExperiment.yaml.replacing(#/data: .*/#, with: ""), name: "squares",
      overrides: [
        "data.name=coco", "data.trainAnnotations=\(train)", "data.trainImages=\(directory.path)",
        "data.validationAnnotations=\(validation ?? train)", "data.validationImages=\(directory.path)",
        "train.output=\(directory.file(run))", "train.learningRate=0.02", "train.decaySteps=[]",
      ] + overrides)
  }

  /// A detector of bright and dark squares, trained once.
  nonisolated(unsafe) static let trained = Result {
    useThreads(1)
    let directory = try TemporaryDirectory()
    let file = try write(Squares(), to: directory, as: "train.json")
    let result = try TinyExperiment.train(configuration(directory, train: file, run: "run", "train.steps=60"))
    return (directory: directory, file: file, weights: directory.file("run/weights.h5"), ap50: result.ap50)
  }

  @Test func evaluationGoesByName() throws {
    let trained = try Self.trained.get()
    let runner = try DetectionRunner(weights: WeightsFile.read(trained.weights), registry: .standard)
    let ap50 = try runner.evaluate(Squares(), batchSize: 2).ap50
    #expect(ap50 > 0.2 && ap50 == trained.ap50)
    let permuted = Squares(classNames: ["dark", "bright"], classIndexes: [1, 0])
    #expect(try runner.evaluate(permuted, batchSize: 2).ap50 == ap50)
    let swapped = Squares(classNames: ["bright", "dark"], classIndexes: [1, 0])
    #expect(try runner.evaluate(swapped, batchSize: 2).ap50 < ap50 / 2, "the test can tell")
    for (names, unknown) in [(["bright", "black"], "black"), (["car", "bus"], "car"), (["bright", "dark", "red"], "red")] {
      let error = try thrown(DetectorError.self) {
        try runner.evaluate(Squares(classNames: names), batchSize: 2)
      }
      #expect(error.description.contains("no \"\(unknown)\" among them"), "\(error)")
    }
    let generic = Squares(classNames: ["class 0", "class 1"])
    #expect(runner.classes(of: generic).isByPosition)
    #expect(try runner.evaluate(generic, batchSize: 2).ap50 == ap50)
  }

  @Test func aValidationSetMayListItsClassesInAnotherOrder() throws {
    let trained = try Self.trained.get()
    let directory = trained.directory
    let permuted = try Self.write(Squares(classNames: ["dark", "bright"], classIndexes: [1, 0]), to: directory, as: "permuted.json")
    for thresholder in ["class-adaptive", "calibrated"] {
      func train(_ validation: String, _ run: String) throws -> (COCOResult, [Float]?) {
        let configuration = try Self.configuration(
          directory, train: trained.file, validation: validation, run: run, "train.steps=1", "train.learningRate=0",
          "train.initialWeights=\(trained.weights)", "thresholder=\(thresholder)")
        let result = try TinyExperiment.train(configuration, start: .overwriting)
        return (result, try WeightsFile.read(directory.file("\(run)/weights.h5")).metadata.statistics?.calibratedThresholds)
      }
      let (same, other) = (try train(trained.file, "same"), try train(permuted, "other"))
      #expect(same.0 == other.0 && same.1 == other.1 && same.0.ap50 > 0.2)
    }
  }

  /// [class: bias of each anchor] of what a run starts from, and what it said.
  static func start(_ names: [String], _ indexes: [Int], _ overrides: String...) throws -> (rows: [String: [Float]], bias: [String: [Float]], said: String) {
    let trained = try Self.trained.get()
    let directory = try TemporaryDirectory()
    let file = try write(Squares(classNames: names, classIndexes: indexes), to: directory, as: "data.json")
    let configuration = try ExperimentConfiguration(
      yaml: Self.configuration(directory, train: file, run: "run", "train.steps=1", "train.learningRate=0").yaml, name: "start",
      overrides: ["train.initialWeights=\(trained.weights)"] + overrides)
    let notes = Notes()
    try TinyExperiment.train(configuration, observer: notes)
    let weights = try WeightsFile.read(directory.file("run/weights.h5"))
    var (rows, bias): ([String: [Float]], [String: [Float]]) = ([:], [:])
    let (kernel, biases) = (
      try #require(weights.tensors[RetinaNet.classificationKernel]), try #require(weights.tensors[RetinaNet.classificationBias])
    )
    let width = kernel.count / kernel.shape[0]
    for row in 0..<kernel.shape[0] {
      let name = names[row % names.count]
      rows[name, default: []] += kernel.values[row * width..<(row + 1) * width]
      bias[name, default: []].append(biases.values[row])
    }
    return (rows, bias, notes.notes.joined(separator: "\n"))
  }

  @Test func initialWeightsAreTakenClassByClass() throws {
    let same = try Self.start(["bright", "dark"], [0, 1])
    #expect(!same.said.contains("classes by name") && !same.said.contains("classification bias"))
    let permuted = try Self.start(["dark", "bright"], [1, 0])
    #expect(permuted.rows == same.rows && permuted.bias == same.bias)
    #expect(permuted.said.contains("classes by name: taken dark, bright"), "\(permuted.said)")

    let three = try Self.start(["red", "dark", "bright"], [2, 1])
    #expect(three.said.contains("classes by name: taken dark, bright; new red"), "\(three.said)")
    for name in ["dark", "bright"] { #expect(three.rows[name] == same.rows[name] && three.bias[name] == same.bias[name]) }
    let pi = three.bias["red"]?.first ?? 0
    #expect(pi < -2 && three.said.contains("classification bias \(pi)") && Set(three.bias["red"] ?? []).count == 1)

    let one = try Self.start(["dark"], [0, 0])
    #expect(one.rows["dark"] == same.rows["dark"] && one.said.contains("taken dark; dropped bright"), "\(one.said)")

    let none = try Self.start(["car", "bus"], [0, 1])
    #expect(none.said.contains("none of the file's 2 classes (bright, dark) is among 2 classes (car, bus): the last classification layer starts anew"))
    #expect(none.said.contains("classification bias") && none.bias["car"] != same.bias["bright"] && none.rows["car"] != same.rows["bright"])
    #expect(none.said.contains("newly initialised heads/classification/logits/kernel"))

    let generic = try Self.start(["class 1", "class 2"], [0, 1])
    #expect(generic.rows["class 1"] == same.rows["bright"] && generic.said.contains("classes by position"), "\(generic.said)")
  }

  /// Three anchors of two classes are as many rows as two anchors of three.
  @Test func rowsOfOtherAnchorsAreNotTaken() throws {
    let same = try Self.start(["bright", "dark"], [0, 1])
    let other = try Self.start(["bright"], [0, 0], "detector.anchors.scales=[1, 1.2, 1.4, 1.6]")
    #expect(other.said.contains("made for other anchors"), "\(other.said)")
    #expect(other.rows["bright"]?.prefix(72) != same.rows["bright"]?.prefix(72))
  }

  @Test func namesGivenByHandAreNotThoseOfOtherOutputs() throws {
    let path = try Self.trained.get().weights
    #expect(try WeightsFile.read(path, classNames: ["hell", "dunkel"]).metadata.classNames == ["hell", "dunkel"])
    #expect(try WeightsFile.read(path, classNames: ["bright", "dark"]).metadata.classNames == ["bright", "dark"])
    let error = try thrown(ConventionError.self) { try WeightsFile.read(path, classNames: ["dark", "bright"]) }
    #expect(error.description.contains("\"dark\" is given as name of output 0, in the file it is output 1"), "\(error)")
  }
}
