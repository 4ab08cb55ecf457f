import Files
import Foundation

/// The parts of COCO's JSON that detection needs.
struct COCOFile {
  struct ImageEntry {
    var id: Int
    var fileName: String
    var width: Int
    var height: Int
  }

  struct Category {
    var id: Int
    var name: String
  }

  struct AnnotationEntry {
    var id: Int?
    var imageID: Int
    var categoryID: Int
    /// `[x, y, width, height]`, as many numbers as there are.
    var bbox: [Double]
    var area: Double?
    var isCrowd: Bool
    /// Not COCO's, but of several tools that convert to it.
    var isIgnored: Bool
  }

  let images: [ImageEntry]
  let annotations: [AnnotationEntry]
  let categories: [Category]

  /// Larger files are refused before memory is taken. COCO's own are of 0.5 GB, the largest data sets' of 2.
  static let maximumByteCount = 4 << 30

  /// - Throws: `COCODatasetError`.
  init(contentsOf path: String) throws {
    do {
      try self.init(try OrdinaryFile.bytes(of: path, limit: Self.maximumByteCount), file: path)
    } catch let error as FileError {
      throw COCODatasetError.unreadable(file: path, reason: error.reason)
    }
  }

  init(_ bytes: [UInt8], file: String) throws {
    if bytes.isEmpty { throw COCODatasetError.badJSON(file: file, key: "", problem: "is not valid JSON: it is empty") }
    var reader = JSONReader(Self.utf8(bytes) ?? bytes, file: file)
    if try reader.kind() == .array { throw reader.problem(try Self.whatAListIs(reader)) }
    var (images, annotations, categories): ([ImageEntry]?, [AnnotationEntry]?, [Category]?)
    try reader.object { reader, key in
      switch key {
      case "images": try reader.list(into: &images) { try ImageEntry(&$0) }
      case "annotations": try reader.list(into: &annotations) { try AnnotationEntry(&$0) }
      case "categories": try reader.list(into: &categories) { try Category(&$0) }
      default: try reader.skip()
      }
    }
    try reader.end()
    func needed<Value>(_ value: Value?, _ key: String) throws -> Value {
      guard let value else { throw reader.problem("is missing", key: key) }
      return value
    }
    self.images = try needed(images, "images")
    self.annotations = try needed(annotations, "annotations")
    self.categories = try needed(categories, "categories")
  }

  /// - Returns: nil for what is no UTF-16.
  private static func utf8(_ bytes: [UInt8]) -> [UInt8]? {
    let encoding: String.Encoding
    switch (bytes[0], bytes.count > 1 ? bytes[1] : 1) {
    case (0xFF, 0xFE), (1..., 0): encoding = .utf16LittleEndian
    case (0xFE, 0xFF), (0, 1...): encoding = .utf16BigEndian
    default: return nil
    }
    return String(data: Data(bytes), encoding: encoding).map { Array($0.drop { $0 == "\u{FEFF}" }.utf8) }
  }

  private static func whatAListIs(_ reader: JSONReader) throws -> String {
    var reader = reader
    var keys: Set<String> = []
    try reader.array { reader, index in
      guard index == 0, try reader.kind() == .object else { return try reader.skip() }
      try reader.object { reader, key in
        keys.insert(key)
        try reader.skip()
      }
    }
    let what = keys.isSuperset(of: ["image_id", "score"]) ? "a list of detections (COCO's format of results)" : "a list"
    return "is \(what), not an object with the lists images, annotations and categories"
  }
}

extension JSONReader {
  fileprivate mutating func list<Element>(
    into target: inout [Element]?, _ element: (inout JSONReader) throws -> Element
  ) throws {
    if target != nil { throw problem("is there twice") }
    var list: [Element] = []
    try array { reader, _ in list.append(try element(&reader)) }
    target = list
  }

  /// Reads a member, of which an object has one at most.
  fileprivate mutating func member<Value>(_ target: inout Value?, _ value: (inout JSONReader) throws -> Value) throws {
    if target != nil { throw problem("is there twice") }
    target = try value(&self)
  }

  fileprivate func needed<Value>(_ value: Value?, _ key: String, _ hint: String = "") throws -> Value {
    guard let value else { throw problem("is missing\(hint)", key: key) }
    return value
  }
}

extension COCOFile.ImageEntry {
  fileprivate init(_ reader: inout JSONReader) throws {
    var (id, width, height): (Int?, Int?, Int?)
    var fileName: String?
    try reader.object { reader, key in
      switch key {
      case "id": try reader.member(&id) { try $0.int() }
      case "file_name": try reader.member(&fileName) { try $0.text() }
      case "width": try reader.member(&width) { try $0.int() }
      case "height": try reader.member(&height) { try $0.int() }
      default: try reader.skip()
      }
    }
    self.init(
      id: try reader.needed(id, "id"), fileName: try reader.needed(fileName, "file_name"),
      width: try reader.needed(width, "width"), height: try reader.needed(height, "height"))
  }
}

extension COCOFile.Category {
  fileprivate init(_ reader: inout JSONReader) throws {
    var id: Int?
    var name: String?
    try reader.object { reader, key in
      switch key {
      case "id": try reader.member(&id) { try $0.int() }
      case "name": try reader.member(&name) { try $0.text() }
      default: try reader.skip()
      }
    }
    self.init(id: try reader.needed(id, "id"), name: try reader.needed(name, "name"))
  }
}

extension COCOFile.AnnotationEntry {
  fileprivate init(_ reader: inout JSONReader) throws {
    var (id, imageID, categoryID): (Int?, Int?, Int?)
    var bbox: [Double]?
    var area: Double?
    var (isCrowd, isIgnored): (Bool?, Bool?)
    var hasSegmentation = false
    try reader.object { reader, key in
      switch key {
      case "id": if try !reader.null() { try reader.member(&id) { try $0.int() } }
      case "image_id": try reader.member(&imageID) { try $0.int() }
      case "category_id": try reader.member(&categoryID) { try $0.int() }
      case "bbox": try reader.list(into: &bbox) { try $0.double() }
      case "area": if try !reader.null() { try reader.member(&area) { try $0.double() } }
      case "iscrowd": if try !reader.null() { try reader.member(&isCrowd) { try $0.flag() } }
      case "ignore": if try !reader.null() { try reader.member(&isIgnored) { try $0.flag() } }
      default:
        hasSegmentation = hasSegmentation || key == "segmentation"
        try reader.skip()
      }
    }
    self.init(
      id: id, imageID: try reader.needed(imageID, "image_id"), categoryID: try reader.needed(categoryID, "category_id"),
      bbox: try reader.needed(bbox, "bbox", hasSegmentation ? ": there is a segmentation alone, which is not read" : ""),
      area: area, isCrowd: isCrowd ?? false, isIgnored: isIgnored ?? false)
  }
}
