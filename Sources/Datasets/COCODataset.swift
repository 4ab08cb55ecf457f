import DetectionCore
import Foundation
import Suggestions

/// Images in a folder, and a JSON file of their objects in COCO's format (`images`, `annotations`, `categories`).
///
/// Boxes are in pixels of the upright image, EXIF orientation applied, as are the file's widths and heights; a stored
/// size that the decoded image does not have is an error. Class indexes follow the categories' ids in rising order.
/// Boxes of no width or height, of which COCO itself has a few, are left out. Segmentations are not read.
public struct COCODataset: DetectionDataset {
  public let classNames: [String]
  /// The category's id for each class index.
  public let categoryIDs: [Int]
  /// How many boxes of no width or height were left out.
  public let emptyBoxCount: Int
  private let annotationsPath: String
  private let records: [Record]

  private struct Record: Sendable {
    var path: String
    var header: SampleHeader
  }

  /// Reads the annotations and checks that every image file is there; decodes none.
  /// - Parameters:
  ///   - path: the JSON file.
  ///   - directory: the folder that `file_name` entries are relative to.
  /// - Throws: `COCODatasetError`, naming the file and the record.
  public init(annotations path: String, images directory: String) throws {
    let file = try COCOFile(contentsOf: path)
    for (key, isEmpty) in [("images", file.images.isEmpty), ("categories", file.categories.isEmpty)] where isEmpty {
      throw COCODatasetError.badJSON(file: path, key: key, problem: "is empty")
    }
    let categories = file.categories.sorted { $0.id < $1.id }
    try COCODataset.checkUnique(file.categories.map(\.id), kind: "categories", file: path)
    try COCODataset.checkUnique(file.images.map(\.id), kind: "images", file: path)
    try COCODataset.checkUnique(file.annotations.compactMap(\.id), kind: "annotations", file: path)
    let classIndexes = Dictionary(uniqueKeysWithValues: zip(categories.map(\.id), categories.indices))

    var records: [Record] = []
    var positions: [Int: Int] = [:]
    for image in file.images {
      let imagePath = (directory as NSString).appendingPathComponent(image.file_name)
      func bad(_ problem: String) -> COCODatasetError {
        .badRecord(file: path, record: "image id \(image.id) (\(image.file_name))", problem: problem)
      }
      guard image.width > 0, image.height > 0 else { throw bad("size \(image.width) x \(image.height) is not positive") }
      guard FileManager.default.fileExists(atPath: imagePath) else { throw bad("there is no file \(imagePath)") }
      positions[image.id] = records.count
      records.append(
        Record(
          path: imagePath,
          header: SampleHeader(id: image.id, width: image.width, height: image.height, annotations: [])))
    }

    var emptyBoxCount = 0
    for (index, entry) in file.annotations.enumerated() {
      let name = entry.id.map { "annotation id \($0)" } ?? "annotations[\(index)]"
      func bad(_ problem: String) -> COCODatasetError { .badRecord(file: path, record: name, problem: problem) }
      guard let position = positions[entry.image_id] else { throw bad("there is no image of id \(entry.image_id)") }
      guard let classIndex = classIndexes[entry.category_id] else {
        let known = categories.prefix(20).map { "\($0.id) (\($0.name))" }.joined(separator: ", ")
        throw bad("there is no category of id \(entry.category_id); there are \(known.isEmpty ? "none" : known)")
      }
      let header = records[position].header
      let box = try COCODataset.box(entry.bbox, width: header.width, height: header.height, orThrow: bad)
      guard box.width > 0, box.height > 0 else {
        emptyBoxCount += 1
        continue
      }
      records[position].header.annotations.append(
        Annotation(box: box, classIndex: classIndex, isCrowd: entry.isCrowd, area: entry.area))
    }

    classNames = categories.map(\.name)
    categoryIDs = categories.map(\.id)
    self.emptyBoxCount = emptyBoxCount
    annotationsPath = path
    self.records = records
  }

  public var count: Int { records.count }

  /// - Throws: `ImageError`, or `COCODatasetError.badRecord` if the file has another size than the annotations say.
  public func sample(at index: Int) throws -> Sample {
    let image = try Image(contentsOf: records[index].path)
    return try sample(at: index, SizedImage(image: image, width: image.width, height: image.height))
  }

  /// - Throws: as `sample(at:)`.
  public func sample(at index: Int, for options: InputOptions) throws -> Sample {
    try sample(at: index, SizedImage(contentsOf: records[index].path, for: options))
  }

  private func sample(at index: Int, _ sized: SizedImage) throws -> Sample {
    let record = records[index]
    guard sized.width == record.header.width, sized.height == record.header.height else {
      throw COCODatasetError.badRecord(
        file: annotationsPath, record: "image id \(record.header.id)",
        problem: "its size is given as \(record.header.width) x \(record.header.height), but \(record.path) has "
          + "\(sized.width) x \(sized.height) pixels, EXIF orientation applied")
    }
    return Sample(
      id: record.header.id, image: sized.image, annotations: record.header.annotations, originalSize: (sized.width, sized.height))
  }

  public func header(at index: Int) throws -> SampleHeader { records[index].header }

  /// `[x, y, width, height]`, checked. Boxes may reach over the image's edge, not lie outside.
  private static func box(
    _ values: [Double], width: Int, height: Int, orThrow bad: (String) -> COCODatasetError
  ) throws -> Box {
    guard values.count == 4 else { throw bad("bbox \(values) is not [x, y, width, height]") }
    guard values.allSatisfy({ $0.isFinite && abs($0) < 1e7 }) else { throw bad("bbox \(values) is not in pixels") }
    guard values[2] >= 0, values[3] >= 0 else { throw bad("bbox \(values) has a negative width or height") }
    guard values[0] < Double(width), values[1] < Double(height), values[0] + values[2] >= 0, values[1] + values[3] >= 0
    else { throw bad("bbox \(values) lies outside its image of \(width) x \(height) pixels") }
    return Box(x: Float(values[0]), y: Float(values[1]), width: Float(values[2]), height: Float(values[3]))
  }

  private static func checkUnique(_ ids: [Int], kind: String, file: String) throws {
    var seen = Set<Int>()
    for id in ids where !seen.insert(id).inserted {
      throw COCODatasetError.badRecord(file: file, record: kind, problem: "the id \(id) is there twice")
    }
  }
}

/// What is wrong with a COCO annotations file.
public enum COCODatasetError: Error, Hashable, Sendable, CustomStringConvertible {
  case unreadable(file: String, reason: String)
  /// No JSON, or a key is missing or of another type; `key` is its path, such as `images[3].width`.
  case badJSON(file: String, key: String, problem: String)
  /// `record` names the entry, such as `annotation id 17`.
  case badRecord(file: String, record: String, problem: String)

  public var description: String {
    switch self {
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .badJSON(let file, let key, let problem): (key.isEmpty ? "\(file): \(problem)" : "\(file): \(key): \(problem)").escapedForDisplay
    case .badRecord(let file, let record, let problem): "\(file): \(record): \(problem)".escapedForDisplay
    }
  }
}
