/// Which images to train and to evaluate on.
public struct DataConfiguration: Hashable, Sendable {
  public enum Name: String, Hashable, Sendable, CaseIterable {
    case digitScenes = "digit-scenes"
    case treeCrowns = "tree-crowns"
    case coco
  }
  public var name = Name.digitScenes
  /// digit-scenes: how many to draw, and how large, in pixels.
  public var trainCount = 2000
  public var validationCount = 200
  public var size = 128
  /// coco: annotation files and image folders.
  public var trainAnnotations: String?
  public var trainImages: String?
  public var validationAnnotations: String?
  public var validationImages: String?
  /// coco: whether annotations may name images outside of their folder.
  public var allowOutsideFiles = false

  public init() {}

  init(_ reader: inout SectionReader) throws {
    name = try reader.choice("name", name)
    trainCount = try reader.int("trainCount", trainCount, in: 1...10_000_000)
    validationCount = try reader.int("validationCount", validationCount, in: 1...1_000_000)
    size = try reader.int("size", size, in: 32...2048)
    trainAnnotations = try reader.optionalString("trainAnnotations")
    trainImages = try reader.optionalString("trainImages")
    validationAnnotations = try reader.optionalString("validationAnnotations")
    validationImages = try reader.optionalString("validationImages")
    allowOutsideFiles = try reader.bool("allowOutsideFiles", allowOutsideFiles)
    guard name == .coco else { return }
    let given = [
      ("trainAnnotations", trainAnnotations), ("trainImages", trainImages),
      ("validationAnnotations", validationAnnotations), ("validationImages", validationImages),
    ]
    if let missing = given.first(where: { $0.1 == nil }) {
      throw reader.problem("is coco and needs \"data.\(missing.0)\"")
    }
  }

  func emit(_ emitter: inout Emitter) {
    emitter.section("data") { e in
      e.text("name", name.rawValue)
      switch name {
      case .digitScenes:
        e.value("trainCount", trainCount)
        e.value("validationCount", validationCount)
        e.value("size", size)
      case .treeCrowns: break
      case .coco:
        e.text("trainAnnotations", trainAnnotations)
        e.text("trainImages", trainImages)
        e.text("validationAnnotations", validationAnnotations)
        e.text("validationImages", validationImages)
        if allowOutsideFiles { e.value("allowOutsideFiles", true) }
      }
    }
  }
}
