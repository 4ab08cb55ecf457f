import Foundation

/// The parts of COCO's JSON that detection needs, with its own key names.
struct COCOFile: Decodable {
  struct ImageEntry: Decodable {
    var id: Int
    var file_name: String
    var width: Int
    var height: Int
  }

  struct Category: Decodable {
    var id: Int
    var name: String
  }

  struct AnnotationEntry: Decodable {
    var id: Int?
    var image_id: Int
    var category_id: Int
    var bbox: [Double]
    var area: Double?
    var isCrowd: Bool

    enum CodingKeys: CodingKey { case id, image_id, category_id, bbox, area, iscrowd }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      id = try values.decodeIfPresent(Int.self, forKey: .id)
      image_id = try values.decode(Int.self, forKey: .image_id)
      category_id = try values.decode(Int.self, forKey: .category_id)
      bbox = try values.decode([Double].self, forKey: .bbox)
      area = try values.decodeIfPresent(Double.self, forKey: .area)
      // 0 and 1 in COCO, false and true from some annotation tools.
      if let flag = try? values.decode(Bool.self, forKey: .iscrowd) {
        isCrowd = flag
      } else {
        isCrowd = try values.decodeIfPresent(Int.self, forKey: .iscrowd).map { $0 != 0 } ?? false
      }
    }
  }

  var images: [ImageEntry]
  var annotations: [AnnotationEntry]
  var categories: [Category]

  init(contentsOf path: String) throws {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw COCODatasetError.unreadable(file: path, reason: fileErrorReason(error))
    }
    do {
      self = try JSONDecoder().decode(COCOFile.self, from: data)
    } catch let error as DecodingError {
      throw COCODatasetError(error, file: path)
    }
  }
}

extension COCODatasetError {
  fileprivate init(_ error: DecodingError, file: String) {
    func key(_ path: [any CodingKey]) -> String {
      path.reduce("") { text, key in
        if let index = key.intValue { return "\(text)[\(index)]" }
        return text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)"
      }
    }
    switch error {
    case .keyNotFound(let missing, let context):
      self = .badJSON(file: file, key: key(context.codingPath + [missing]), problem: "is missing")
    case .valueNotFound(_, let context):
      self = .badJSON(file: file, key: key(context.codingPath), problem: "is null")
    case .typeMismatch(let type, let context):
      self = .badJSON(file: file, key: key(context.codingPath), problem: "is not of the type \(type)")
    case .dataCorrupted(let context):
      self = .badJSON(file: file, key: key(context.codingPath), problem: context.debugDescription)
    @unknown default:
      self = .badJSON(file: file, key: "", problem: "\(error)")
    }
  }
}
