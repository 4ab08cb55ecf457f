import Datasets
import DetectionCore
import Foundation
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
    let swapped = try dataset(json(images: entry(turned.height, turned.width)))
    let error = #expect(throws: COCODatasetError.self) { try swapped.sample(at: 0) }
    #expect(error?.description.contains("its size is given as \(turned.height) x \(turned.width)") == true)
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
        == "x.json: annotations[0]: there is no category of id 2; there are 1 (person), 18 (dog)")
    #expect(message(json(images: Self.images + "," + Self.images)) == "x.json: images: the id 7 is there twice")
    #expect(message(json(categories: Self.categories + "," + Self.categories)) == "x.json: categories: the id 18 is there twice")
    let twice = annotation("[1, 1, 2, 2]", more: #", "id": 5"#)
    #expect(message(json(annotations: twice + "," + twice)) == "x.json: annotations: the id 5 is there twice")
    #expect(
      message(json(images: #"{"id": 1, "file_name": "c.png", "width": 3, "height": 4}"#))
        == "x.json: image id 1 (c.png): there is no file c.png")
    #expect(
      message(json(images: #"{"id": 1, "file_name": "a.png", "width": 0, "height": 4}"#))
        == "x.json: image id 1 (a.png): size 0 x 4 is not positive")
  }

  @Test func withoutImagesOrCategoriesThereIsNothingToTrainOn() {
    #expect(message(json(images: "")) == "x.json: images: is empty")
    #expect(message(json(categories: "")) == "x.json: categories: is empty")
  }

  @Test(arguments: [
    ("", "x.json: is not valid JSON: Unexpected end of file"), ("nonsense", "x.json: is not valid JSON: Invalid value around character"), ("[]", "x.json: "), ("{}", "x.json: images: is missing"),
    (#"{"images": null, "annotations": [], "categories": []}"#, "x.json: images: is null"),
    (#"{"images": [{"id": "7", "file_name": "a.png", "width": 30, "height": 20}], "annotations": [], "categories": []}"#, "x.json: images[0].id: is not of the type Int"),
    (#"{"images": [{"id": 7, "file_name": "a.png", "width": 30.5, "height": 20}], "annotations": [], "categories": []}"#, "x.json: images[0].width: 30.5 is not a whole number"),
    (#"{"images": [{"id": 7, "file_name": "a.png", "width": 1e40, "height": 20}], "annotations": [], "categories": []}"#, "x.json: images[0].width: "),
    (#"{"images": [{"id": 7, "width": 30, "height": 20}], "annotations": [], "categories": []}"#, "x.json: images[0].file_name: is missing"),
    (#"{"images": [], "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, "3", 4]}], "categories": []}"#, "x.json: annotations[0].bbox[2]: is not of the type Double"),
    (#"{"images": [], "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": "no"}], "categories": []}"#, "x.json: annotations[0].iscrowd: is not of the type Int"),
  ])
  func whatIsNoCOCOFileIsNamed(json: String, message: String) {
    let found = self.message(json)
    #expect(found.hasPrefix(message), "\(found)")
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
    let error = #expect(throws: COCODatasetError.self) { try COCODataset(annotations: "/no/such.json", images: "/") }
    #expect(error?.description == "/no/such.json: cannot be read: No such file or directory")
  }
}
