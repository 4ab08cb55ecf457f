import ArgumentParser
import Foundation
import SamplingFree

struct Detect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find objects in images; draw them to PNG files, print them as JSON on request.")

  @Argument(help: "Weights file: this package's, Keras', keras-retinanet's or torchvision's.")
  var weights: String
  @Argument(help: "Images (JPEG or PNG).")
  var images: [String] = []
  @Option(help: "Instead of files: this many images of the validation set that the weights were trained for, in one picture.")
  var validation = 0
  @Option(name: [.short, .long], help: "A folder, or for one picture a .png file.")
  var output = "detections"
  @Option(help: "Draw and print only what scores at least this.")
  var minimumScore: Float = 0.3
  @OptionGroup var classes: ClassesOption
  @OptionGroup var plugins: PluginOptions
  @OptionGroup var precision: PrecisionOption
  @Flag(help: "Print JSON to standard output: one array of detections an image.")
  var json = false

  func validate() throws {
    if images.isEmpty && validation < 1 { throw ValidationError("name at least one image, or --validation <count>") }
    if !images.isEmpty && validation > 0 { throw ValidationError("give images or --validation, not both") }
    if !(0...1).contains(minimumScore) { throw ValidationError("--minimum-score must lie in 0...1") }
    if images.count > 1 && output.hasSuffix(".png") {
      throw ValidationError("--output \(output) is one picture, but there are \(images.count) images: name a folder")
    }
  }

  func run() throws {
    let path = self.weights
    let weights = try WeightsFile.read(path, classNames: classes.names())
    weights.reportAssumptions(of: path)
    if validation > 0 && weights.metadata.convention != Convention.native.name {
      throw ValidationError("--validation: weights of \(weights.metadata.convention) do not say which data they were trained on")
    }
    let runner = try DetectionRunner(weights: weights, registry: SamplingFreeCommand.registry(plugins: plugins.paths))
    precision.apply(to: runner.network)
    let renderer = DetectionRenderer(classNames: runner.classNames)
    if validation > 0 {
      let configuration = try ExperimentConfiguration(yaml: weights.metadata.configuration, name: "the weights' configuration")
      guard configuration.data.name != .coco else {
        throw DetectorError("\(path) was trained on files that its configuration names, and a weights file opens no others: name the images instead of --validation")
      }
      var dataset = try configuration.dataset(.validation)
      if classes.classes == nil { dataset = try dataset.inOrder(of: runner.classNames) }
      try drawValidation(dataset, runner, renderer)
    } else {
      try drawImages(runner, renderer)
    }
  }

  private func drawValidation(
    _ dataset: any DetectionDataset, _ runner: DetectionRunner, _ renderer: DetectionRenderer
  ) throws {
    var report: [ImageReport] = []
    var pictures: [Image] = []
    for index in 0..<min(validation, dataset.count) {
      let sample = try dataset.sample(at: index)
      let found = try detect(sample.image, runner)
      report.append(ImageReport(image: "validation \(sample.id)", found, runner.classNames))
      pictures.append(try renderer.draw(found, groundTruth: sample.annotations, on: sample.image, scale: scale(of: sample.image)))
    }
    let columns = Int(Double(pictures.count).squareRoot().rounded(.up))
    try write(Montage.grid(pictures, columns: columns), to: output.hasSuffix(".png") ? output : "\(output)/validation.png")
    try print(report)
  }

  /// An image that cannot be read or drawn costs itself, and the status; a picture that cannot be written ends the work.
  private func drawImages(_ runner: DetectionRunner, _ renderer: DetectionRenderer) throws {
    let pictures = try PictureFiles(images: images, output: output)
    var report: [ImageReport] = []
    var failures = 0
    do {
      for (path, picture) in zip(images, pictures.paths) {
        let drawn: Image
        do {
          let decoded = try DecodedImage(contentsOf: path)
          if let warning = decoded.warning { printError("Warning: \(path): \(warning)") }
          let found = try detect(decoded.image, runner)
          report.append(ImageReport(image: path, found, runner.classNames))
          drawn = try renderer.draw(found, on: decoded.image, scale: scale(of: decoded.image))
        } catch {
          let failure = ImageFailure(description: error is ImageError ? "\(error)" : "\(path): \(error)")
          // The last error is the command's own.
          if images.count == 1 { throw failure }
          printError("Error: \(failure)")
          failures += 1
          continue
        }
        try write(drawn, to: picture, of: path)
      }
    } catch {
      if !report.isEmpty { try print(report) }
      throw error
    }
    if !report.isEmpty { try print(report) }
    if failures > 0 { throw ImageFailure(description: "\(failures) of \(images.count) images could not be read or drawn") }
  }

  private func print(_ report: [ImageReport]) throws {
    guard json else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try printOut(String(decoding: encoder.encode(report), as: UTF8.self))
  }

  private func detect(_ image: Image, _ runner: DetectionRunner) throws -> [Detection] {
    try runner.detect([image]).flatMap { $0 }.filter { $0.score >= minimumScore }
  }

  /// Small images are enlarged so that labels can be read.
  private func scale(of image: Image) -> Int { max(1, min(4, 384 / max(image.width, image.height))) }

  private func write(_ image: Image, to path: String, of source: String? = nil) throws {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw ImageError.unwritable(file: path, reason: "there is no folder \(folder.relativePath), and it cannot be made")
    }
    try image.writePNG(to: path)
    printError("wrote \(path)\(source.map { " (\($0))" } ?? "")")
  }
}

private struct ImageFailure: Error, CustomStringConvertible {
  let description: String
}

/// The JSON form of an image's detections: boxes as COCO's [x, y, width, height], in the image's pixels.
private struct ImageReport: Encodable {
  struct Entry: Encodable {
    let bbox: [Float]
    let category: String
    let score: Float
  }
  let image: String
  let detections: [Entry]

  init(image: String, _ detections: [Detection], _ classNames: [String]) {
    self.image = image
    self.detections = detections.map {
      Entry(bbox: [$0.box.x1, $0.box.y1, $0.box.width, $0.box.height], category: classNames[$0.classIndex], score: $0.score)
    }
  }
}
