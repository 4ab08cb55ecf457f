import Foundation

/// The parts of COCO's JSON that detection needs, with its own key names.
struct COCOFile: Decodable {
  struct ImageEntry: Decodable {
    var id: Int
    var file_name: String
    var width: Int
    var height: Int

    enum CodingKeys: CodingKey { case id, file_name, width, height }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      id = try values.wholeNumber(forKey: .id)
      file_name = try values.decode(String.self, forKey: .file_name)
      width = try values.wholeNumber(forKey: .width)
      height = try values.wholeNumber(forKey: .height)
    }
  }

  struct Category: Decodable {
    var id: Int
    var name: String

    enum CodingKeys: CodingKey { case id, name }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      id = try values.wholeNumber(forKey: .id)
      name = try values.decode(String.self, forKey: .name)
    }
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
      id = try values.contains(.id) && !values.decodeNil(forKey: .id) ? values.wholeNumber(forKey: .id) : nil
      image_id = try values.wholeNumber(forKey: .image_id)
      category_id = try values.wholeNumber(forKey: .category_id)
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
      throw COCODatasetError(error, in: data, file: path)
    }
  }
}

extension KeyedDecodingContainer {
  /// The decoder's own error for numbers with a fraction names no key.
  fileprivate func wholeNumber(forKey key: Key) throws -> Int {
    if let number = try? decode(Int.self, forKey: key) { return number }
    if let number = try? decode(Double.self, forKey: key) {
      throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: "\(number) is not a whole number")
    }
    return try decode(Int.self, forKey: key)
  }
}

extension COCODatasetError {
  fileprivate init(_ error: DecodingError, in data: Data, file: String) {
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
    case .dataCorrupted(let context) where context.codingPath.isEmpty:
      self = .badJSON(file: file, key: "", problem: Self.syntaxError(in: data) ?? context.debugDescription)
    case .dataCorrupted(let context):
      self = .badJSON(file: file, key: key(context.codingPath), problem: context.debugDescription)
    @unknown default:
      self = .badJSON(file: file, key: "", problem: "\(error)")
    }
  }

  /// What is wrong and where, which `JSONDecoder` does not tell.
  private static func syntaxError(in data: Data) -> String? {
    do {
      _ = try JSONSerialization.jsonObject(with: data)
      return nil
    } catch {
      let reason = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String
      return reason.map { "is not valid JSON: \($0)" }
    }
  }
}
