import Datasets
import DetectionCore
import Foundation
import Testing

/// What people's files have in them: each is a note or an error before anything is decoded.
@Suite struct COCOOdditiesTests {
  private let folder = try! TemporaryFolder()

  init() throws {
    try FileManager.default.createDirectory(atPath: folder.path("img/sub"), withIntermediateDirectories: true)
    for name in ["img/a.png", "img/sub/b.png", "outside.png"] {
      try Image(width: 60, height: 40, grey: 100).writePNG(to: folder.path(name))
    }
  }

  private func file(
    names: [String] = ["a.png"], boxes: [String] = ["[10, 10, 5, 5]"], more: String = "", areas: [Double?] = [],
    categories: String = #"{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}"#
  ) throws -> String {
    let images = try names.enumerated().map { index, name in
      #"{"id": \#(index + 1), "width": 60, "height": 40, "file_name": \#(String(decoding: try JSONEncoder().encode(name), as: UTF8.self))}"#
    }
    let annotations = boxes.enumerated().map { index, box in
      let area = index < areas.count ? areas[index].map { #", "area": \#($0)"# } ?? "" : ""
      return #"{"id": \#(index + 1), "image_id": \#(index % names.count + 1), "category_id": 1, "bbox": \#(box)\#(area)\#(more)}"#
    }
    try folder.write(
      #"{"images": [\#(images.joined(separator: ","))], "annotations": [\#(annotations.joined(separator: ","))], "categories": [\#(categories)]}"#,
      to: "x.json")
    return folder.path("x.json")
  }

  /// The notes, or the error; the folder's path left out.
  private func read(_ file: String, allowsOutsideFiles: Bool = false) -> String {
    var notes: [String] = []
    do {
      _ = try COCODataset(annotations: file, images: folder.path("img"), allowsOutsideFiles: allowsOutsideFiles) { notes.append($0) }
    } catch { notes.append("\(error)") }
    return notes.joined(separator: "\n").replacingOccurrences(of: folder.url.path + "/", with: "")
  }

  // MARK: boxes

  @Test func coordinatesDividedByTheSidesAreNamed() throws {
    let found = read(try file(boxes: ["[0.1, 0.2, 0.5, 0.8]", "[0, 0, 1, 1]", "[0.5, 0.5, 0.5004, 0.1]"]))
    #expect(found.hasPrefix("x.json: annotations: 3 of 3 boxes lie within 0...1: their coordinates are normalised"), "\(found)")
    // A file of which a part was converted.
    #expect(read(try file(boxes: ["[0.1, 0.2, 0.5, 0.8]", "[0, 0, 1, 1]", "[10, 10, 5, 5]"])).contains("2 of 3 boxes lie within 0...1"))
    // A speck is no sign of it.
    #expect(read(try file(boxes: ["[0.1, 0.2, 0.5, 0.8]", "[10, 10, 5, 5]"])) == "")
  }

  @Test func cornersInPlaceOfSizesAreNamed() throws {
    // Within the image, but the areas tell.
    let byArea = read(try file(boxes: ["[4, 8, 24, 30]", "[10, 5, 20, 15]"], areas: [440, 100]))
    #expect(byArea.hasPrefix("x.json: annotations: bbox seems to hold corners") && byArea.contains("the areas of 2 of 2 boxes"), "\(byArea)")
    let beyond = read(try file(boxes: ["[40, 20, 55, 35]", "[30, 25, 50, 39]", "[2, 2, 12, 12]"]))
    #expect(beyond.hasPrefix("x.json: annotations: 2 of 3 boxes reach beyond the right or bottom edge"), "\(beyond)")
    // Some widths are smaller than x: no corners, but not what is meant either.
    let centres = read(try file(boxes: ["[50, 20, 30, 10]", "[45, 10, 40, 9]", "[2, 2, 12, 12]"]))
    #expect(centres.hasPrefix("x.json: 2 of 3 boxes reach beyond") && centres.contains("corners or centres"), "\(centres)")
    let many = read(try file(boxes: (1...12).map { "[\($0), \($0), \($0 + 9), \($0 + 9)]" }))
    #expect(many.hasPrefix("x.json: every width is above its x"), "\(many)")
  }

  @Test func ordinaryBoxesAreNot() throws {
    // One large object in the middle of each picture, and boxes a little over the edge.
    #expect(read(try file(names: ["a.png", "sub/b.png"], boxes: ["[10, 5, 40, 30]", "[12, 6, 41, 30]"], areas: [1200, 1230])) == "")
    #expect(read(try file(boxes: ["[50, 30, 10.4, 10.2]", "[-3, -2, 9, 9]", "[20, 10, 5, 5]"])) == "")
    #expect(read(try file(boxes: [])) == "")
  }

  @Test func crowdsIgnoredAndRepeatedAnnotationsAreCounted() throws {
    #expect(read(try file(more: #", "iscrowd": 1"#)) == "x.json: 1 of 1 annotations are crowds (iscrowd): neither trained on nor counted in evaluation")
    for flag in ["1", "true"] {
      let path = try file(more: #", "ignore": \#(flag)"#)
      #expect(read(path) == "x.json: 1 of 1 annotations are marked \"ignore\": as crowds, neither trained on nor counted")
      #expect(try COCODataset(annotations: path, images: folder.path("img")).header(at: 0).annotations.map(\.isCrowd) == [true])
    }
    #expect(read(try file(more: #", "ignore": 0"#)) == "")
    #expect(read(try file(boxes: ["[1, 1, 5, 5]", "[1, 1, 5, 5]", "[1, 1, 5, 6]"])) == "x.json: 1 of 3 annotations repeat the image, class and box of another")
    #expect(read(try file(boxes: ["[1, 1, 0, 5]", "[9, 3, 5, 5]"])) == "x.json: 1 of 2 annotations have no width or height: left out")
  }

  @Test(arguments: [
    (#"{"id": 1, "name": "cat"}, {"id": 2, "name": "cat"}"#, "category id 2: its name \"cat\" is that of category id 1, too"),
    (#"{"id": 1, "name": "cat"}, {"id": 2, "name": " cat "}"#, "category id 2: its name \"cat\" is that of category id 1, too"),
    (#"{"id": 1, "name": "caf\u00e9"}, {"id": 2, "name": "cafe\u0301"}"#, "category id 2: its name \"café\" is that of category id 1, too"),
    (#"{"id": 1, "name": ""}"#, "category id 1: its name is empty"), (#"{"id": 1, "name": " \t"}"#, "category id 1: its name is empty"),
    (#"{"id": 1, "name": null}"#, "categories[0].name: is null"), (#"{"id": 1}"#, "categories[0].name: is missing"),
  ])
  func namesOfClassesTellThemApart(categories: String, problem: String) throws {
    #expect(read(try file(boxes: [], categories: categories)) == "x.json: \(problem)")
  }

  // MARK: encodings

  @Test func byteOrderMarksAndUTF16AreRead() throws {
    let text = try String(contentsOfFile: try file(), encoding: .utf8)
    for encoding in [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian] {
      try #require(text.data(using: encoding)).write(to: folder.url.appendingPathComponent("x.json"))
      #expect(read(folder.path("x.json")) == "", "\(encoding)")
    }
    try (Data([0xEF, 0xBB, 0xBF]) + Data(text.utf8)).write(to: folder.url.appendingPathComponent("x.json"))
    #expect(read(folder.path("x.json")) == "")
  }

  @Test func hugeFilesAreRefusedUnread() throws {
    try folder.write("", to: "huge.json")
    truncate(folder.path("huge.json"), 20 << 30)
    #expect(read(folder.path("huge.json")) == "huge.json: cannot be read: is of \(20 << 30) bytes, more than \(4 << 30)")
  }

  @Test func textsWithEscapesAreRead() throws {
    try Image(width: 60, height: 40).writePNG(to: folder.path("img/é😀 \"q\".png"))
    try folder.write(
      #"{"images": [{"id": 1, "width": 60, "height": 40, "file_name": "\u00e9\ud83d\ude00 \"q\".png"}], "annotations": [], "categories": [{"id": 1, "name": "a\/b"}]}"#,
      to: "x.json")
    #expect(try COCODataset(annotations: folder.path("x.json"), images: folder.path("img")).classNames == ["a/b"])
  }

  // MARK: file names

  @Test(arguments: [
    ("", "image id 1 (): file_name is empty"), ("a.png\u{0}x", "image id 1 (a.png\\0x): file_name holds a zero byte"),
    ("http://example.org/a.png", "image id 1 (http://example.org/a.png): file_name is an address"),
    ("s3://bucket/a.png", "image id 1 (s3://bucket/a.png): file_name is an address"),
    ("A.PNG", "image id 1 (A.PNG): there is no file img/A.PNG; did you mean \"a.png\"? Capitals matter"),
    ("aa.png", "image id 1 (aa.png): there is no file img/aa.png; did you mean \"a.png\"?"),
    ("a\n.png", "image id 1 (a\\n.png): there is no file img/a\\n.png; did you mean \"a.png\"?"),
    ("train/a.png", "image id 1 (train/a.png): there is no file img/train/a.png, nor a folder img/train"),
    ("sub", "image id 1 (sub): img/sub is a folder, not an ordinary file"), (".", "image id 1 (.): img/. is a folder"),
    ("pipe.png", "image id 1 (pipe.png): img/pipe.png is a FIFO, not an ordinary file"),
    ("../outside.png", "image id 1 (../outside.png): img/../outside.png lies outside the image folder"),
    ("..\\outside.png", "image id 1 (..\\outside.png): img/../outside.png lies outside the image folder"),
    ("sub/../../outside.png", "image id 1 (sub/../../outside.png): img/sub/../../outside.png lies outside"),
    ("link.png", "image id 1 (link.png): img/link.png lies outside the image folder"),
    ("folder/outside.png", "image id 1 (folder/outside.png): img/folder/outside.png lies outside the image folder"),
    ("/etc/passwd", "image id 1 (/etc/passwd): /etc/passwd lies outside the image folder"),
    ("/dev/zero", "image id 1 (/dev/zero): /dev/zero is a device"), ("dangling.png", "image id 1 (dangling.png): there is no file img/dangling.png"),
  ])
  func namesThatCannotBeUsedSayWhy(name: String, problem: String) throws {
    mkfifo(folder.path("img/pipe.png"), 0o600)
    try FileManager.default.createSymbolicLink(atPath: folder.path("img/link.png"), withDestinationPath: "../outside.png")
    try FileManager.default.createSymbolicLink(atPath: folder.path("img/dangling.png"), withDestinationPath: "nowhere.png")
    try FileManager.default.createSymbolicLink(atPath: folder.path("img/folder"), withDestinationPath: "..")
    let found = read(try file(names: [name]))
    #expect(found.hasPrefix("x.json: \(problem)"), "\(found)")
    if problem.contains("lies outside"), !name.hasPrefix("/") { #expect(read(try file(names: [name]), allowsOutsideFiles: true) == "") }
  }

  @Test func namesWrittenInOtherWaysAreFound() throws {
    let accented = "z\u{E9}.png"
    try Image(width: 60, height: 40).writePNG(to: folder.path("img/z\u{65}\u{301}.png"))
    try Image(width: 60, height: 40).writePNG(to: folder.path("img/a b %20.png"))
    try FileManager.default.createSymbolicLink(atPath: folder.path("img/inner.png"), withDestinationPath: "sub/b.png")
    for name in ["./a.png", "sub//b.png", "sub/../a.png", "/a.png", folder.path("img/a.png"), "sub\\b.png", accented, "a b %20.png", "inner.png"] {
      #expect(read(try file(names: [name])) == "", "\(name)")
    }
    // The folder itself may be a link.
    try FileManager.default.createSymbolicLink(atPath: folder.path("images"), withDestinationPath: "img")
    #expect(throws: Never.self) { try COCODataset(annotations: file(), images: folder.path("images")) }
  }

  @Test func theFolderAndHowManyAreMissingAreNamed() throws {
    let found = read(try file(names: ["1.png", "a.png", "2.png"]))
    #expect(found.hasPrefix("x.json: image id 1 (1.png): there is no file img/1.png") && found.hasSuffix("2 of 3 images are missing"), "\(found)")
    func message(_ images: String) throws -> String {
      let path = try file()
      do { return "\(try COCODataset(annotations: path, images: images).count)" } catch { return "\(error)" }
    }
    #expect(try message(folder.path("none")) == "\(folder.path("none")): cannot be read: No such file or directory")
    #expect(try message(folder.path("outside.png")).hasSuffix("outside.png: cannot be read: is not a folder"))
  }

  @Test func headersAreHeldAgainstTheAnnotations() throws {
    try Data(try Image(width: 60, height: 40).pngData().prefix(60)).write(to: folder.url.appendingPathComponent("img/cut.png"))
    #expect(read(try file(names: ["cut.png"])) == "x.json: image id 1 (cut.png): img/cut.png: broken PNG image: it ends before its last chunk")
    try folder.write("<html>", to: "img/page.jpg")
    #expect(read(try file(names: ["a.png", "page.jpg"])).hasPrefix("x.json: image id 2 (page.jpg): img/page.jpg: neither a JPEG nor a PNG image: it is an HTML page"))
    try Image(width: 40, height: 60).writePNG(to: folder.path("img/tall.png"))
    #expect(read(try file(names: ["tall.png"])) == "x.json: image id 1 (tall.png): its size is given as 60 x 40, but img/tall.png has 40 x 60 pixels, EXIF orientation applied")
    #expect(read(try file(names: ["a.png", "a.png"])) == "x.json: 1 of 2 images repeat the file of another")
  }
}
