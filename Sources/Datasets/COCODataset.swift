import DetectionCore
import Foundation

/// Images in a folder, and a JSON file of their objects in COCO's format (`images`, `annotations`, `categories`).
///
/// Boxes are in pixels of the upright image, EXIF orientation applied, as are the file's widths and heights. Class indexes
/// follow the categories' ids in rising order. Boxes of no width or height, of which COCO itself has a few, are left out;
/// objects marked `ignore` count as crowds. Segmentations are not read.
public struct COCODataset: DetectionDataset {
  public let classNames: [String]
  /// The category's id for each class index.
  public let categoryIDs: [Int]
  /// How many boxes of no width or height were left out.
  public let emptyBoxCount: Int
  private let annotationsPath: String
  private let records: [Record]

  struct Record: Sendable {
    var header: SampleHeader
    var path: String
  }

  /// Reads the annotations and the headers of all images, and checks both: images are ordinary files in the folder, with
  /// the sizes that the annotations say. Decodes none.
  /// - Parameters:
  ///   - path: the JSON file.
  ///   - directory: the folder that `file_name` entries are relative to.
  ///   - allowsOutsideFiles: whether names may lead out of the folder, by `..`, from the root or by symbolic links.
  ///   - note: called with what is odd about the data, though no error: a line each.
  /// - Throws: `COCODatasetError`, naming the file and the record.
  public init(
    annotations path: String, images directory: String, allowsOutsideFiles: Bool = false, note: (String) -> Void = { _ in }
  ) throws {
    let file = try COCOFile(contentsOf: path)
    var problems = Problems(file: path)
    let categories = try Self.categories(of: file, problems)
    classNames = categories.map(\.name)
    categoryIDs = categories.map(\.id)
    guard !file.images.isEmpty else { throw problems.error(in: "images", "is empty") }
    try problems.checkUnique(file.images.map(\.id), "images")
    try problems.checkUnique(file.annotations.compactMap(\.id), "annotations")
    for image in file.images where image.width <= 0 || image.height <= 0 {
      throw problems.error(of: image, "size \(image.width) x \(image.height) is not positive")
    }
    let annotations = try Self.annotations(of: file, categories, &problems)
    emptyBoxCount = annotations.emptyBoxCount
    if file.images.count >= 20_000 { note("\(path): reading the headers of \(file.images.count) images") }
    let folder = try ImageFolder(directory, allowsOutsideFiles: allowsOutsideFiles)
    let paths = try Self.paths(of: file.images, in: folder, &problems)
    records = file.images.indices.map { index in
      let image = file.images[index]
      return Record(
        header: SampleHeader(id: image.id, width: image.width, height: image.height, annotations: annotations.ofImages[index]),
        path: paths[index])
    }
    annotationsPath = path
    problems.notes.forEach(note)
  }

  public var count: Int { records.count }

  /// - Throws: `ImageError`, or `COCODatasetError.badRecord` if the file has another size than the annotations say.
  public func sample(at index: Int) throws -> Sample {
    try sample(at: index, DecodedImage(contentsOf: records[index].path))
  }

  /// - Throws: as `sample(at:)`.
  public func sample(at index: Int, for options: InputOptions) throws -> Sample {
    try sample(at: index, DecodedImage(contentsOf: records[index].path, for: options))
  }

  private func sample(at index: Int, _ sized: DecodedImage) throws -> Sample {
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
    case .badJSON(let file, let key, let problem): key.isEmpty ? "\(file): \(problem)" : "\(file): \(key): \(problem)"
    case .badRecord(let file, let record, let problem): "\(file): \(record): \(problem)"
    }
  }
}
