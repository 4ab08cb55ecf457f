import Foundation
import SamplingFree
import TestSupport
import Testing

/// The commands that use weights: evaluate, detect, inspect; and the list of strategies.
@Suite struct ReadingCommandTests {
  @Test func strategiesAreListed() throws {
    let result = try Command.run("strategies", in: TemporaryDirectory())
    #expect(result.status == 0 && result.messages.isEmpty)
    for kind in StrategyKind.allCases {
      #expect(result.output.contains("\(kind.rawValue):\n"))
      for strategy in StrategyRegistry.standard.descriptions(of: kind) {
        #expect(result.output.contains("  \(strategy.name)  ") && result.output.contains("source: \(strategy.source)"))
        for parameter in strategy.parameters { #expect(result.output.contains("    \(parameter.name) = \(parameter.defaultValue)")) }
      }
    }
  }

  @Test func evaluationGivesTheTrainersNumbers() throws {
    let run = try TrainedRun.get()
    let result = try Command.run("evaluate", "tiny.yaml", "run/weights.h5", in: run.directory)
    #expect(result.status == 0 && result.output == run.result.output, "\(result.messages)")
    let json = try Command.run("evaluate", "tiny.yaml", "run/checkpoint.h5", "--json", in: run.directory)
    let numbers = try JSONDecoder().decode(COCOResult.self, from: Data(json.output.utf8))
    #expect(result.output.contains("AP50 \(String(format: "%.4f", numbers.ap50))\n") && numbers.perClassAP.count == 10)
  }

  @Test func weightsOfOtherClassesAreNotEvaluated() throws {
    let run = try TrainedRun.get()
    let result = try Command.run("evaluate", "tiny.yaml", "run/weights.h5", "--set", "data.name=tree-crowns", in: run.directory)
    #expect(result.status == 1)
    #expect(result.messages.contains("the data set has 1 class (tree), the detector 10 classes (0, 1, 2, 3, ...)"), "\(result.messages)")
    let shape = try Command.run("evaluate", "tiny.yaml", "run/weights.h5", "--set", "detector.head.channels=16", in: run.directory)
    #expect(shape.status == 1 && shape.messages.contains("heads/classification/conv1/kernel: shape"), "\(shape.messages)")
    #expect(shape.messages.split(separator: "\n").count < 10)
  }

  @Test func inspectionShowsWhatAFileHolds() throws {
    let run = try TrainedRun.get()
    let result = try Command.run("inspect", "run/weights.h5", in: run.directory)
    #expect(result.status == 0)
    for part in ["convention: native", "parameters: ", "@class_names = [\"0\", \"1\"", "logits/", "kernel  10 x 8 x 3 x 3"] {
      #expect(result.output.contains(part), "\(part)")
    }
  }

  @Test(arguments: ["inspect", "detect", "evaluate"]) func filesThatAreNoWeightsAreNamed(command: String) throws {
    let run = try TrainedRun.get()
    let directory = try TemporaryDirectory()
    let text = try directory.write("seed: 1\n", to: "text.h5")
    let whole = try bytes(of: run.weights)
    try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: directory.file("cut.h5")))
    for (file, part) in [(text, "not an HDF5 file"), (directory.file("cut.h5"), "truncated"), (directory.file("absent.h5"), "No such file"), (directory.path, "not an ordinary file")] {
      let arguments = command == "evaluate" ? [run.config, file] : command == "detect" ? [file, "x.png"] : [file]
      let process = Command.process([command] + arguments, in: directory.path)
      let pipe = Pipe()
      process.standardError = pipe
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      let messages = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 1)
      #expect(messages.contains(file) && messages.contains(part), "\(messages)")
    }
  }

  // MARK: detect

  struct ImageReport: Decodable {
    struct Entry: Decodable {
      let bbox: [Double]
      let category: String
      let score: Double
    }
    let image: String
    let detections: [Entry]
  }

  /// A folder with scenes as JPEG and PNG files.
  static func scenes() throws -> (TemporaryDirectory, Image) {
    let directory = try TemporaryDirectory()
    let scene = try DigitScenes(split: .validation, count: 1, size: 96).sample(at: 0).image
    for folder in ["a", "b"] {
      try FileManager.default.createDirectory(atPath: directory.file(folder), withIntermediateDirectories: true)
    }
    try scene.writeJPEG(to: directory.file("a/scene.jpg"))
    try scene.writePNG(to: directory.file("b/scene.png"))
    return (directory, scene)
  }

  @Test func detectionsAreDrawnAndPrinted() throws {
    let run = try TrainedRun.get()
    let (directory, scene) = try Self.scenes()
    let result = try Command.run(
      "detect", run.weights, "a/scene.jpg", "b/scene.png", "--json", "--minimum-score", "0", "--output", "out", in: directory)
    #expect(result.status == 0, "\(result.messages)")
    let reports = try JSONDecoder().decode([ImageReport].self, from: Data(result.output.utf8))
    #expect(reports.map(\.image) == ["a/scene.jpg", "b/scene.png"])
    for report in reports {
      #expect(!report.detections.isEmpty)
      for detection in report.detections {
        let (x, y, w, h) = (detection.bbox[0], detection.bbox[1], detection.bbox[2], detection.bbox[3])
        #expect(x >= 0 && y >= 0 && w >= 0 && h >= 0 && x + w <= 96.01 && y + h <= 96.01)
        #expect((0...1).contains(detection.score) && (0..<10).map(String.init).contains(detection.category))
      }
      #expect(report.detections.map(\.score) == report.detections.map(\.score).sorted(by: >))
    }
    // Two images of one name: two pictures.
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("out")).sorted() == ["scene-2.png", "scene.png"])
    #expect(result.messages.contains("wrote out/scene-2.png (b/scene.png)"), "\(result.messages)")
    let picture = try Image(contentsOf: directory.file("out/scene.png"))
    #expect(picture.width == 4 * scene.width && picture.height == 4 * scene.height)
  }

  @Test func theSameImageDetectsTheSameInAnyCompany() throws {
    let run = try TrainedRun.get()
    let (directory, _) = try Self.scenes()
    func detections(_ images: String...) throws -> [[Double]] {
      let process = Command.process(["detect", run.weights] + images + ["--json", "--minimum-score", "0"], in: directory.path)
      let pipe = Pipe()
      process.standardOutput = pipe
      process.standardError = FileHandle.nullDevice
      try process.run()
      let data = pipe.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return try JSONDecoder().decode([ImageReport].self, from: data).last?.detections.map { $0.bbox + [$0.score] } ?? []
    }
    #expect(try detections("b/scene.png") == detections("a/scene.jpg", "b/scene.png"))
  }

  @Test func numberedNamesAreNotTakenTwice() throws {
    let run = try TrainedRun.get()
    let (directory, scene) = try Self.scenes()
    try scene.writePNG(to: directory.file("a/scene-2.png"))
    let result = try Command.run("detect", run.weights, "a/scene.jpg", "b/scene.png", "a/scene-2.png", "a/scene.jpg", in: directory)
    #expect(result.status == 0)
    let files = try FileManager.default.contentsOfDirectory(atPath: directory.file("detections")).sorted()
    #expect(files == ["scene-2.png", "scene-3.png", "scene-4.png", "scene.png"])
    #expect(result.messages.contains("detections/scene-2.png (a/scene-2.png)"))
  }

  /// A picture must never replace the photograph it was drawn on.
  @Test(arguments: [["b/scene.png", "-o", "b"], ["b/scene.png", "-o", "b/scene.png"], ["b/scene.png", "-o", "a/../b/."]])
  func imagesAreNotOverwritten(arguments: [String]) throws {
    let run = try TrainedRun.get()
    let (directory, _) = try Self.scenes()
    let before = try bytes(of: directory.file("b/scene.png"))
    let result = try Command.run("detect", run.weights, arguments[0], arguments[1], arguments[2], in: directory)
    #expect(result.status == 2 && result.messages.contains("would overwrite an image"), "\(result.messages)")
    #expect(try bytes(of: directory.file("b/scene.png")) == before)
  }

  @Test func onePictureForSeveralImagesIsWrongUsage() throws {
    let run = try TrainedRun.get()
    let (directory, _) = try Self.scenes()
    let result = try Command.run("detect", run.weights, "a/scene.jpg", "b/scene.png", "-o", "all.png", in: directory)
    #expect(result.status == 2 && result.messages.contains("name a folder"))
    #expect(try Command.run("detect", run.weights, "a/scene.jpg", "-o", "one.png", in: directory).status == 0)
    #expect(try directory.names.contains("one.png"))
  }

  @Test func validationImagesNeedNoFiles() throws {
    let run = try TrainedRun.get()
    let directory = try TemporaryDirectory()
    let result = try Command.run("detect", run.weights, "--validation", "3", "-o", "grid.png", "--json", in: directory)
    #expect(result.status == 0, "\(result.messages)")
    #expect(try JSONDecoder().decode([ImageReport].self, from: Data(result.output.utf8)).count == 3)
    #expect(try directory.names == ["grid.png"])
  }

  @Test func imagesOfExtremeShapesAreFine() throws {
    let run = try TrainedRun.get()
    let directory = try TemporaryDirectory()
    try Image(width: 1, height: 1, grey: 200).writePNG(to: directory.file("pixel.png"))
    try Image(width: 2000, height: 1).writePNG(to: directory.file("line.png"))
    let result = try Command.run("detect", run.weights, "pixel.png", "line.png", "--json", "--minimum-score", "0", in: directory)
    #expect(result.status == 0, "\(result.messages)")
    let reports = try JSONDecoder().decode([ImageReport].self, from: Data(result.output.utf8))
    #expect(reports[0].detections.allSatisfy { $0.bbox[0] + $0.bbox[2] <= 1.001 && $0.bbox[1] + $0.bbox[3] <= 1.001 })
  }

  @Test func imagesThatCannotBeReadAreNamed() throws {
    let run = try TrainedRun.get()
    let (directory, _) = try Self.scenes()
    _ = try directory.write("I am a text", to: "text.jpg")
    let jpeg = try bytes(of: directory.file("a/scene.jpg"))
    try jpeg.prefix(200).write(to: URL(fileURLWithPath: directory.file("cut.jpg")))
    for (file, part) in [("text.jpg", "neither a JPEG nor a PNG"), ("cut.jpg", "broken JPEG"), ("absent.png", "No such file"), ("a", "is a folder")] {
      let result = try Command.run("detect", run.weights, file, "--json", in: directory)
      #expect(result.status == 1 && result.messages.contains(file) && result.messages.contains(part), "\(result.messages)")
      #expect(result.output.isEmpty)
    }
    #expect(try Command.run("detect", run.weights, "a/scene.jpg", "--minimum-score", "2", in: directory).status == 2)
    let blocked = try Command.run("detect", run.weights, "a/scene.jpg", "-o", "text.jpg/out", in: directory)
    #expect(blocked.status == 1 && blocked.messages.contains("text.jpg/out"), "\(blocked.messages)")
  }
}
