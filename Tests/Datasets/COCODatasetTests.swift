import Datasets
import DetectionCore
import Foundation
import TestSupport
import Testing

@Suite struct COCODatasetTests {
  private let folder = try! TemporaryFolder()

  init() throws {
    try Image(width: 30, height: 20, grey: 100).writePNG(to: folder.path("a.png"))
    try Image(width: 16, height: 24, grey: 50).writeJPEG(to: folder.path("b.jpg"))
    let turned = try #require(ImageGoldens.load().files["jpeg turned 6"])
    try turned.file.write(to: folder.url.appendingPathComponent("turned.jpg"))
  }

  private static let images = #"{"id": 7, "file_name": "a.png", "width": 30, "height": 20}, {"id": 3, "file_name": "b.jpg", "width": 16, "height": 24}"#
  private static let categories = #"{"id": 18, "name": "dog"}, {"id": 1, "name": "person", "supercategory": "x"}"#

  private func json(images: String = images, annotations: String = "", categories: String = categories) -> String {
    #"{"info": {}, "images": [\#(images)], "annotations": [\#(annotations)], "categories": [\#(categories)]}"#
  }

  private func dataset(_ json: String) throws -> COCODataset {
    try folder.write(json, to: "x.json")
    return try COCODataset(annotations: folder.path("x.json"), images: folder.url.path)
  }

  /// The error, the folder's path left out.
  private func message(_ json: String) -> String {
    do {
      _ = try dataset(json)
      return "no error"
    } catch let error as COCODatasetError {
      return error.description.replacingOccurrences(of: folder.url.path + "/", with: "")
    } catch { return "another error: \(error)" }
  }

  private func annotation(_ bbox: String, image: String = "7", category: String = "18", more: String = "") -> String {
    #"{"image_id": \#(image), "category_id": \#(category), "bbox": \#(bbox)\#(more)}"#
  }

  @Test func recordsAreRead() throws {
    let annotations = [
      annotation("[1, 2, 10.5, 5]", more: #", "id": 1, "area": 40.25, "iscrowd": 0, "segmentation": [[1, 2]]"#),
      annotation("[0, 0, 16, 24]", image: "3", category: "1", more: #", "iscrowd": 1"#),
      annotation("[4, 4, 3, 3]", more: #", "iscrowd": true"#), annotation("[5, 5, 0, 3]"),
    ]
    let data = try dataset(json(annotations: annotations.joined(separator: ",")))
    #expect(data.classNames == ["person", "dog"] && data.categoryIDs == [1, 18], "by id")
    #expect(data.count == 2 && data.emptyBoxCount == 1)
    let first = try data.sample(at: 0)
    #expect(first.id == 7 && first.image == Image(width: 30, height: 20, grey: 100))
    #expect(first.annotations == [
      Annotation(box: Box(x1: 1, y1: 2, x2: 11.5, y2: 7), classIndex: 1, isCrowd: false, area: 40.25),
      Annotation(box: Box(x1: 4, y1: 4, x2: 7, y2: 7), classIndex: 1, isCrowd: true, area: 9),
    ])
    let second = try data.header(at: 1)
    #expect(second.id == 3 && second.width == 16 && second.height == 24)
    #expect(second.annotations == [Annotation(box: Box(x1: 0, y1: 0, x2: 16, y2: 24), classIndex: 0, isCrowd: true, area: 384)])
  }

  @Test func sizesAreOfTheUprightImage() throws {
    let turned = try #require(ImageGoldens.load().files["jpeg turned 6"])
    func entry(_ width: Int, _ height: Int) -> String { #"{"id": 1, "file_name": "turned.jpg", "width": \#(width), "height": \#(height)}"# }
    let sample = try dataset(json(images: entry(turned.width, turned.height))).sample(at: 0)
    #expect(sample.image.width == turned.width && sample.image.height == turned.height)
    let swapped = message(json(images: entry(turned.height, turned.width)))
    #expect(swapped.hasPrefix("x.json: image id 1 (turned.jpg): its size is given as \(turned.height) x \(turned.width), but "))
    #expect(swapped.hasSuffix("EXIF orientation applied: the size given is the one before, and so may be the boxes"), "\(swapped)")
  }

  /// What a small batch is made of need not be decoded at full size; boxes and pixels stay where they are. Odd sides: the
  /// last column and row are of half a pixel.
  @Test(arguments: [(67, 2), (50, 2), (33, 4), (16, 8), (8, 8), (68, 1), (400, 1)])
  func smallerCopiesGiveTheSameBatch(side: Int, divisor: Int) throws {
    let photograph = try TreeCrowns.dataset(split: .train).sample(at: 0).image.resized(width: 301, height: 203)
    try photograph.writeJPEG(to: folder.path("photo.jpg"), quality: 95)
    let data = try dataset(
      json(images: #"{"id": 1, "file_name": "photo.jpg", "width": 301, "height": 203}"#, annotations: annotation("[60, 50, 120, 77]", image: "1")))
    var options = InputOptions(
      size: .shorterSide(side, longerSide: 1000), mean: [0, 0, 0], standardDeviation: [1, 1, 1], padMultiple: 1)
    let (whole, small) = (try data.sample(at: 0), try data.sample(at: 0, for: options))
    #expect(small.image.width == (301 + divisor - 1) / divisor && small.image.height == (203 + divisor - 1) / divisor)
    #expect(small.originalWidth == 301 && small.originalHeight == 203)
    func batch(_ sample: Sample) -> Batch {
      var generator = SeededGenerator(seed: 0)
      return Batch(samples: [sample], options: options, generator: &generator)
    }
    let (a, b) = (batch(whole), batch(small))
    #expect(a.images == b.images && a.width == b.width && a.height == b.height)
    let differences = zip(a.pixels, b.pixels).map { abs($0 - $1) * 255 }
    let mean = differences.reduce(0, +) / Float(differences.count)
    // A dense texture, the hardest case; a soft photograph differs by 1.
    #expect(mean < 3.5, "mean \(mean), largest \(differences.max() ?? 0)")
    // torchvision's resize reads single pixels: no copy will do.
    options.interpolation = .bilinear
    #expect(try data.sample(at: 0, for: options).image == whole.image)
  }

  @Test func smallerCopiesAreUpright() throws {
    let turned = try #require(ImageGoldens.load().files["jpeg turned 6"])
    let entry = #"{"id": 1, "file_name": "turned.jpg", "width": \#(turned.width), "height": \#(turned.height)}"#
    let options = InputOptions(size: .shorterSide(min(turned.width, turned.height) / 4, longerSide: 1000))
    let sample = try dataset(json(images: entry)).sample(at: 0, for: options)
    #expect(sample.image.width == (turned.width + 1) / 2 && sample.image.height == (turned.height + 1) / 2)
  }

  @Test(arguments: [
    ("[1, 2, 3]", "bbox [1.0, 2.0, 3.0] is not [x, y, width, height]"), ("[1, 2, -3, 4]", "has a negative width or height"),
    ("[40, 2, 3, 4]", "lies outside its image of 30 x 20 pixels"), ("[-9, 2, 3, 4]", "lies outside its image"),
    ("[1, 2, 1e9, 4]", "is not in pixels"),
  ])
  func aWrongBoxIsNamed(bbox: String, problem: String) {
    let found = message(json(annotations: annotation("[1, 1, 2, 2]") + "," + annotation(bbox)))
    #expect(found.hasPrefix("x.json: annotations[1]: bbox ") && found.contains(problem), "\(found)")
    #expect(message(json(annotations: annotation(bbox, more: #", "id": 55"#))).hasPrefix("x.json: annotation id 55: "))
  }

  @Test func aWrongRecordIsNamed() {
    #expect(message(json(annotations: annotation("[1, 1, 2, 2]", image: "8"))) == "x.json: annotations[0]: there is no image of id 8")
    #expect(
      message(json(annotations: annotation("[1, 1, 2, 2]", category: "2")))
        == "x.json: annotations[0]: there is no category of id 2; the nearest is 1 (person); there are 1 (person), 18 (dog)")
    #expect(message(json(images: Self.images + "," + Self.images)) == "x.json: images: the id 7 is there twice")
    #expect(message(json(categories: Self.categories + "," + Self.categories)) == "x.json: categories: the id 18 is there twice")
    let twice = annotation("[1, 1, 2, 2]", more: #", "id": 5"#)
    #expect(message(json(annotations: twice + "," + twice)) == "x.json: annotations: the id 5 is there twice")
    #expect(
      message(json(images: #"{"id": 1, "file_name": "c.png", "width": 3, "height": 4}"#))
        == "x.json: image id 1 (c.png): there is no file c.png; did you mean \"a.png\"?")
    #expect(
      message(json(images: #"{"id": 1, "file_name": "a.png", "width": 0, "height": 4}"#))
        == "x.json: image id 1 (a.png): size 0 x 4 is not positive")
  }

  @Test func withoutImagesOrCategoriesThereIsNothingToTrainOn() {
    #expect(message(json(images: "")) == "x.json: images: is empty")
    #expect(message(json(categories: "")) == "x.json: categories: is empty")
  }

  @Test(arguments: [
    ("", "is not valid JSON: it is empty"), ("nonsense", "is not valid JSON: \"n\" where a value is expected, line 1, column 1"),
    ("[]", "is a list, not an object with the lists images, annotations and categories"),
    (#"[{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]"#, "is a list of detections (COCO's format of results), not an object"),
    ("{}", "images: is missing"), (#""text""#, "is a text, not an object"), ("12", "is a number, not an object"),
    (#"{"images": null, "annotations": [], "categories": []}"#, "images: is null"),
    (#"{"images": {}, "annotations": [], "categories": []}"#, "images: is an object, not a list"),
    (#"{"images": [[]], "annotations": [], "categories": []}"#, "images[0]: is a list, not an object"),
    (#"{"images": [{"id": "7", "file_name": "a.png"}]}"#, "images[0].id: is a text, not a whole number: numbers stand without quotes"),
    (#"{"images": [{"id": 7, "width": 30.5}]}"#, "images[0].width: 30.5 is not a whole number"),
    (#"{"images": [{"id": 7, "width": 1e40}]}"#, "images[0].width: 1e40 is too large a number"),
    (#"{"images": [{"id": 7, "width": 1e400}]}"#, "images[0].width: 1e400 is too large a number"),
    (#"{"images": [{"id": 99999999999999999999}]}"#, "images[0].id: 99999999999999999999 is too large a number"),
    (#"{"images": [{"id": 7, "width": 30, "height": 20}]}"#, "images[0].file_name: is missing"),
    (#"{"images": [{"id": 7, "file_name": "a.png", "height": 20}]}"#, "images[0].width: is missing"),
    (#"{"images": [{"id": 7, "id": 8}]}"#, "images[0].id: is there twice"), (#"{"images": [], "images": []}"#, "images: is there twice"),
    (#"{"annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, "3", 4]}]}"#, "annotations[0].bbox[2]: is a text, not a number"),
    (#"{"annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, NaN, 3, 4]}]}"#, "annotations[0].bbox[1]: is not valid JSON: NaN, which is no number in JSON, line 1, column 64"),
    ("{\"annotations\": [{\n\"bbox\": [1, -Infinity, 3, 4]}]}", "annotations[0].bbox[1]: is not valid JSON: Infinity, which is no number in JSON, line 2, column 14"),
    (#"{"annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 1e400, 4]}]}"#, "annotations[0].bbox[2]: 1e400 is too large a number"),
    (#"{"annotations": [{"image_id": 1, "category_id": 1, "bbox": null}]}"#, "annotations[0].bbox: is null"),
    (#"{"annotations": [{"image_id": 1, "category_id": 1, "segmentation": [[1, 2]]}]}"#, "annotations[0].bbox: is missing: there is a segmentation alone"),
    (#"{"annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": "no"}]}"#, "annotations[0].iscrowd: is a text, not 0 or 1"),
    (#"{"annotations": [{"image_id": 1, "category_id": "cat", "bbox": [1, 2, 3, 4]}]}"#, "annotations[0].category_id: is a text, not a whole number"),
    ("{\n  // comment\n}", "is not valid JSON: a comment, of which JSON has none, line 2, column 3"),
    ("{\"images\": [],}", "is not valid JSON: a comma before \"}\", line 1, column 15"), ("{'images': []}", "is not valid JSON: a single quote"),
    (#"{"images": [] "annotations": []}"#, "is not valid JSON: \"\"\" where a comma or \"}\" is expected"),
    (#"{"images": [{"id": 01}]}"#, "images[0].id: is not valid JSON: a number with a 0 before it"),
    (#"{"images": [], "annotations": [], "categories": []} x"#, "is not valid JSON: \"x\" where the end of the file is expected"),
    ("{\"images\": \"a\nb\"}", "images: is a text, not a list"), ("{\"info\": \"a\nb\"}", "info: is not valid JSON: a text that goes over the end of its line"),
    (#"{"info": "\x"}"#, "images: is missing"), (#"{"images": [{"file_name": "\x"}]}"#, "images[0].file_name: is not valid JSON: an escape that JSON does not know"),
  ])
  func whatIsNoCOCOFileIsNamed(json: String, message: String) {
    let found = self.message(json)
    #expect(found.hasPrefix("x.json: " + message), "\(found)")
  }

  @Test func filesCutShortAreErrors() throws {
    let whole = json(annotations: annotation("[1, 1, 2, 2]"))
    for length in 0..<whole.count {
      let found = message(String(whole.prefix(length)))
      #expect(found.hasPrefix("x.json: "), "\(found)")
    }
    #expect(message(whole) == "no error")
  }

  @Test func deepNestingIsAnError() {
    for depth in [600, 200_000] {
      #expect(message(#"{"info": "# + String(repeating: "[", count: depth)).hasPrefix("x.json: "))
      let closed = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      #expect(message(#"{"images": "# + closed + "}").hasPrefix("x.json: "))
    }
  }

  @Test func missingFilesAreNamed() {
    let error = try? thrown(COCODatasetError.self) { try COCODataset(annotations: "/no/such.json", images: "/") }
    #expect(error?.description == "/no/such.json: cannot be read: No such file or directory")
  }
}
