import Foundation
import SamplingFree
import TestSupport
import Testing

/// What the commands say of images and annotations that are not as they should be, and when.
@Suite struct DataCommandTests {
  private let directory = try! TemporaryDirectory()

  /// 64 x 64 images, each with two classes' squares.
  private func write(_ name: String = "train.json", count: Int = 2, _ change: (inout [String: Any]) -> Void = { _ in }) throws {
    try FileManager.default.createDirectory(atPath: directory.file("img"), withIntermediateDirectories: true)
    var annotations: [[String: Any]] = []
    for index in 0..<count {
      var image = Image(width: 64, height: 64, grey: 90)
      for (classIndex, x) in [6, 34].enumerated() {
        for y in 10..<32 { for column in x..<x + 22 { image.pixels[(y * 64 + column) * 3 + classIndex] = 220 } }
        annotations.append(["id": annotations.count + 1, "image_id": index + 1, "category_id": classIndex + 1, "bbox": [x, 10, 22, 22]])
      }
      try image.writePNG(to: directory.file("img/\(index).png"))
    }
    var file: [String: Any] = [
      "images": (0..<count).map { ["id": $0 + 1, "file_name": "\($0).png", "width": 64, "height": 64] }, "annotations": annotations,
      "categories": [["id": 1, "name": "red"], ["id": 2, "name": "green"]],
    ]
    change(&file)
    try JSONSerialization.data(withJSONObject: file).write(to: URL(fileURLWithPath: directory.file(name)))
  }

  private func train(_ overrides: String..., file: String = "train.json", validation: String? = nil) throws -> Command.Result {
    _ = try directory.write(TrainedRun.yaml, to: "tiny.yaml")
    let data = [
      "data.name=coco", "data.trainAnnotations=\(file)", "data.trainImages=img", "data.validationAnnotations=\(validation ?? file)",
      "data.validationImages=img", "train.steps=1",
    ]
    return try Command.run(["train", "tiny.yaml"] + (data + overrides).flatMap { ["--set", $0] }, in: directory)
  }

  private static func edit(_ file: inout [String: Any], _ change: (inout [String: Any]) -> Void) {
    file["annotations"] = (file["annotations"] as? [[String: Any]] ?? []).map { annotation in
      var annotation = annotation
      change(&annotation)
      return annotation
    }
  }

  @Test func whatIsOddIsSaidBeforeTheFirstStep() throws {
    try write { file in
      file["categories"] = [["id": 0, "name": "fish"], ["id": 1, "name": "red"], ["id": 2, "name": "green"]]
      var annotations = file["annotations"] as? [[String: Any]] ?? []
      annotations.append(["id": 90, "image_id": 1, "category_id": 1, "bbox": [40, 40, 0.02, 20]])
      annotations.append(["id": 91, "image_id": 1, "category_id": 1, "bbox": [40, 40, 9, 9], "iscrowd": 1])
      file["annotations"] = annotations
    }
    let result = try train()
    #expect(result.status == 0, "\(result.messages)")
    let lines = result.messages.split(separator: "\n")
    let first = try #require(lines.firstIndex { $0.hasPrefix("step 1/") })
    for line in [
      "train.json: 1 of 6 annotations are crowds (iscrowd): neither trained on nor counted in evaluation",
      "1 of 5 objects are smaller than a pixel after resizing: left out of training",
      "no objects of class \"fish\" to train on: C counts it, which lowers the optimal bias of all, and the class-adaptive threshold is 0",
    ] { #expect(lines.prefix(first).contains { $0 == line }, "\(line): \(result.messages)") }
  }

  @Test func dataWithoutObjectsEndBeforeTheFirstStepWhateverTheBias() throws {
    try write("none.json") { $0["annotations"] = [[String: Any]]() }
    try write("crowds.json") { Self.edit(&$0) { $0["iscrowd"] = 1 } }
    try write("specks.json") { Self.edit(&$0) { $0["bbox"] = [30, 30, 0.1, 5] } }
    for (file, part) in [
      ("none.json", "none.json: there are no objects to train on: no annotation with a width and a height"),
      ("crowds.json", "crowds.json: there are no objects to train on: of the annotations 4 are crowds or ignored"),
      ("specks.json", "specks.json: there are no objects to train on: of the annotations 4 are smaller than a pixel after resizing"),
    ] {
      let result = try train("bias=constant", "thresholder=fixed", file: file)
      #expect(result.status == 1 && result.messages.contains("Error: \(part)") && !result.messages.contains("step"), "\(result.messages)")
      #expect(!FileManager.default.fileExists(atPath: directory.file("run")))
    }
  }

  @Test func anchorsThatMatchNothingEndBeforeTheFirstStep() throws {
    try write()
    let result = try train(
      "detector.anchors.sizes=[300, 400, 500]", "detector.matcher.allowLowQuality=false", "bias=constant", "thresholder=fixed")
    #expect(result.status == 1 && !result.messages.contains("step 1"), "\(result.messages)")
    #expect(result.messages.contains("N_f = 0: none of "), "\(result.messages)")
    #expect(result.messages.contains("of 22.0...22.0 pixels (root of the area), the anchors of 300.0...500.0; set detector.anchors.sizes"))
  }

  @Test func aWrongImageOfEitherSplitEndsTheRunBeforeItBegins() throws {
    try write()
    try write("validation.json", count: 3)
    try Image(width: 64, height: 32).writePNG(to: directory.file("img/2.png"))
    let result = try train(validation: "validation.json")
    #expect(result.status == 1 && !result.messages.contains("step"))
    #expect(result.messages.contains("Error: validation.json: image id 3 (2.png): its size is given as 64 x 64, but img/2.png has 64 x 32 pixels"), "\(result.messages)")
    #expect(!FileManager.default.fileExists(atPath: directory.file("run")))
  }

  @Test func filesOutsideAreReadWhereTheConfigurationSaysSo() throws {
    try write { $0["images"] = [["id": 1, "file_name": "../0.png", "width": 64, "height": 64], ["id": 2, "file_name": "1.png", "width": 64, "height": 64]] }
    try FileManager.default.moveItem(atPath: directory.file("img/0.png"), toPath: directory.file("0.png"))
    let refused = try train()
    #expect(refused.status == 1 && refused.messages.contains("image id 1 (../0.png): img/../0.png lies outside the image folder"), "\(refused.messages)")
    #expect(refused.messages.contains("set data.allowOutsideFiles: true"))
    let allowed = try train("data.allowOutsideFiles=true")
    #expect(allowed.status == 0, "\(allowed.messages)")
    #expect(try String(contentsOfFile: directory.file("run/config.yaml"), encoding: .utf8).contains("allowOutsideFiles: true"))
  }

  @Test func aFIFOInPlaceOfAnnotationsIsAnErrorAtOnce() throws {
    try write()
    #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
    let result = try train(file: "pipe")
    #expect(result.status == 1 && result.messages.contains("Error: pipe: cannot be read: is a FIFO, not an ordinary file"), "\(result.messages)")
  }

  // MARK: detect

  @Test(arguments: [
    ("broken.jpg", "broken JPEG image: it ends before its last row"), ("text.jpg", "a text that begins with \"no image\""),
    ("absent.png", "No such file or directory"), ("pipe.png", "is a FIFO, not an ordinary file"), ("folder.png", "is a folder, not an ordinary file"),
    ("/dev/zero", "is a device, not an ordinary file"), ("empty.png", "it is empty"),
  ])
  func aBrokenImageCostsItselfAlone(name: String, reason: String) throws {
    let run = try TrainedRun.get()
    try write()
    try Image(width: 64, height: 64, grey: 7).writeJPEG(to: directory.file("whole.jpg"))
    try bytes(of: directory.file("whole.jpg")).dropLast(9).write(to: URL(fileURLWithPath: directory.file("broken.jpg")))
    _ = try directory.write("no image", to: "text.jpg")
    _ = try directory.write("", to: "empty.png")
    mkfifo(directory.file("pipe.png"), 0o600)
    try FileManager.default.createDirectory(atPath: directory.file("folder.png"), withIntermediateDirectories: true)
    let result = try Command.run("detect", run.weights, "img/0.png", name, "img/1.png", "--json", in: directory)
    #expect(result.status == 1)
    #expect(result.messages.contains("Error: \(name): ") && result.messages.contains(reason), "\(result.messages)")
    #expect(result.messages.hasSuffix("Error: 1 of 3 images could not be read or drawn\n"), "\(result.messages)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("detections")).sorted() == ["0.png", "1.png"])
    let reports = try JSONDecoder().decode([ReadingCommandTests.ImageReport].self, from: Data(result.output.utf8))
    #expect(reports.map(\.image) == ["img/0.png", "img/1.png"])
  }

  /// Pictures have a largest side.
  @Test func anImageThatCannotBeDrawnIsDetectedInAlone() throws {
    let run = try TrainedRun.get()
    try write()
    try Image(width: 40_000, height: 1).writePNG(to: directory.file("line.png"))
    let result = try Command.run("detect", run.weights, "line.png", "img/1.png", "--json", in: directory)
    #expect(result.status == 1 && result.messages.contains("Error: line.png: a picture of 40000 x 1 pixels"), "\(result.messages)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("detections")) == ["1.png"])
    let reports = try JSONDecoder().decode([ReadingCommandTests.ImageReport].self, from: Data(result.output.utf8))
    #expect(reports.map(\.image) == ["line.png", "img/1.png"])
  }

  @Test func aFullStandardOutputIsAnError() throws {
    let run = try TrainedRun.get()
    try write()
    for arguments in [["detect", run.weights, "img/0.png", "--json"], ["inspect", run.weights], ["strategies"], ["evaluate", run.config, run.weights]] {
      let process = Command.process(arguments, in: directory.path)
      process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
      let pipe = Pipe()
      process.standardError = pipe
      try process.run()
      let messages = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 1, "\(arguments[0])")
      #expect(messages.contains("Error: standard output: No space left on device"), "\(messages)")
    }
  }

  /// Nobody can be told, but work goes on.
  @Test func aFullStandardErrorEndsNothing() throws {
    let run = try TrainedRun.get()
    try write()
    let process = Command.process(["detect", run.weights, "img/0.png"], in: directory.path)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle(forWritingAtPath: "/dev/full")
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    #expect(FileManager.default.fileExists(atPath: directory.file("detections/0.png")))
  }

  /// Weights from a stranger say where their images were: nothing is opened there.
  @Test func weightsNameNoFilesThatAreOpened() throws {
    try write()
    #expect(try train().status == 0)
    let result = try Command.run("detect", "run/weights.h5", "--validation", "1", in: directory)
    #expect(result.status == 1 && result.messages.contains("name the images instead of --validation"), "\(result.messages)")
  }
}
