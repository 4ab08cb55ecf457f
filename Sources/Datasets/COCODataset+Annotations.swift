import DetectionCore
import Foundation

extension COCODataset {
  /// By rising id.
  static func categories(of file: COCOFile, _ problems: Problems) throws -> [COCOFile.Category] {
    guard !file.categories.isEmpty else { throw problems.error(in: "categories", "is empty") }
    try problems.checkUnique(file.categories.map(\.id), "categories")
    var ids: [String: Int] = [:]
    for category in file.categories {
      let name = category.name.trimmingCharacters(in: .whitespacesAndNewlines)
      if name.isEmpty { throw problems.error("category id \(category.id)", "its name is empty") }
      if let other = ids.updateValue(category.id, forKey: name) {
        throw problems.error("category id \(category.id)", "its name \"\(name)\" is that of category id \(other), too")
      }
    }
    return file.categories.sorted { $0.id < $1.id }
  }

  /// - Returns: those of each image, and how many have no width or height, which are left out.
  static func annotations(
    of file: COCOFile, _ categories: [COCOFile.Category], _ problems: inout Problems
  ) throws -> (ofImages: [[Annotation]], emptyBoxCount: Int) {
    let positions = Dictionary(uniqueKeysWithValues: zip(file.images.map(\.id), file.images.indices))
    let classIndexes = Dictionary(uniqueKeysWithValues: zip(categories.map(\.id), categories.indices))
    try check(file, positions, &problems)
    var ofImages = [[Annotation]](repeating: [], count: file.images.count)
    var (empty, crowds, ignored) = (0, 0, 0)
    for (index, entry) in file.annotations.enumerated() {
      func bad(_ problem: String) -> COCODatasetError {
        problems.error(entry.id.map { "annotation id \($0)" } ?? "annotations[\(index)]", problem)
      }
      guard let position = positions[entry.imageID] else { throw bad("there is no image of id \(entry.imageID)") }
      guard let classIndex = classIndexes[entry.categoryID] else {
        throw bad("there is no category of id \(entry.categoryID); \(known(categories, near: entry.categoryID))")
      }
      let box = try box(entry.bbox, of: file.images[position], orThrow: bad)
      if let area = entry.area, !(0...1e15).contains(area) { throw bad("area \(area) is not in square pixels") }
      guard box.width > 0, box.height > 0 else {
        empty += 1
        continue
      }
      if entry.isCrowd { crowds += 1 } else if entry.isIgnored { ignored += 1 }
      ofImages[position].append(
        Annotation(box: box, classIndex: classIndex, isCrowd: entry.isCrowd || entry.isIgnored, area: entry.area))
    }
    let count = file.annotations.count
    problems.note("of \(count) annotations have no width or height: left out", count: empty)
    problems.note("of \(count) annotations are crowds (iscrowd): neither trained on nor counted in evaluation", count: crowds)
    problems.note("of \(count) annotations are marked \"ignore\": as crowds, neither trained on nor counted", count: ignored)
    problems.note("of \(count) annotations repeat the image, class and box of another", count: ofImages.reduce(0) { $0 + repeated($1) })
    return (ofImages, empty)
  }

  private static func check(_ file: COCOFile, _ positions: [Int: Int], _ problems: inout Problems) throws {
    var boxes = COCOBoxes()
    for entry in file.annotations {
      guard let position = positions[entry.imageID] else { continue }
      let image = file.images[position]
      boxes.add(entry.bbox, area: entry.area, image: position, size: (image.width, image.height))
    }
    switch boxes.finding {
    case .error(let problem): throw problems.error(in: "annotations", problem)
    case .note(let text): problems.note(text)
    case nil: break
    }
  }

  private static func known(_ categories: [COCOFile.Category], near id: Int) -> String {
    func shown(_ category: COCOFile.Category) -> String { "\(category.id) (\(category.name))" }
    let all = categories.prefix(20).map(shown).joined(separator: ", ") + (categories.count > 20 ? ", ..." : "")
    // Ids of any size: a difference could overflow.
    let nearest = categories.min { abs(Double($0.id) - Double(id)) < abs(Double($1.id) - Double(id)) }
    return (categories.count > 1 ? nearest.map { "the nearest is \(shown($0)); " } ?? "" : "") + "there are \(all)"
  }

  private static func repeated(_ annotations: [Annotation]) -> Int {
    struct Key: Hashable {
      var box: Box
      var classIndex: Int
    }
    return annotations.count - Set(annotations.map { Key(box: $0.box, classIndex: $0.classIndex) }).count
  }

  /// `[x, y, width, height]`, checked. Boxes may reach over the image's edge, not lie outside.
  private static func box(
    _ values: [Double], of image: COCOFile.ImageEntry, orThrow bad: (String) -> COCODatasetError
  ) throws -> Box {
    guard values.count == 4 else { throw bad("bbox \(values) is not [x, y, width, height]") }
    guard values.allSatisfy({ abs($0) < 1e7 }) else { throw bad("bbox \(values) is not in pixels") }
    guard values[2] >= 0, values[3] >= 0 else { throw bad("bbox \(values) has a negative width or height") }
    guard values[0] < Double(image.width), values[1] < Double(image.height), values[0] + values[2] >= 0, values[1] + values[3] >= 0
    else { throw bad("bbox \(values) lies outside its image of \(image.width) x \(image.height) pixels") }
    return Box(x: Float(values[0]), y: Float(values[1]), width: Float(values[2]), height: Float(values[3]))
  }
}

/// Errors and notes about a file, which they name.
struct Problems {
  let file: String
  private(set) var notes: [String] = []

  init(file: String) { self.file = file }

  mutating func note(_ text: String) { notes.append("\(file): \(text)") }

  /// Notes nothing of nothing.
  mutating func note(_ text: String, count: Int) {
    if count > 0 { note("\(count) \(text)") }
  }

  func error(_ record: String, _ problem: String) -> COCODatasetError {
    .badRecord(file: file, record: record, problem: problem)
  }

  func error(of image: COCOFile.ImageEntry, _ problem: String) -> COCODatasetError {
    error("image id \(image.id) (\(ImageFolder.shown(image.fileName)))", problem)
  }

  func error(in key: String, _ problem: String) -> COCODatasetError { .badJSON(file: file, key: key, problem: problem) }

  func checkUnique(_ ids: [Int], _ kind: String) throws {
    var seen = Set<Int>(minimumCapacity: ids.count)
    for id in ids where !seen.insert(id).inserted { throw error(kind, "the id \(id) is there twice") }
  }
}
