import Foundation

/// What Keras' JSON says of a model: `model_config` of legacy files, config.json of archives. Of any version since Keras 1.
struct KerasModel: Sendable {
  /// A layer with the settings that decide what it computes; nil where the JSON does not have them.
  struct Layer: Sendable {
    var name: String
    /// The class, as Keras 2 and later call it.
    var kind: String
    /// Names of the layers whose results it takes.
    var inputs: [String]
    var epsilon: Double?
    /// Sides of a window.
    var window: [Int]?
    var strides: [Int]?
    var dilation: [Int]?
    var groups: Int?
    /// "same" or "valid".
    var padding: String?
    /// Rows and columns of zeros: top, bottom, left, right.
    var zeros: [Int]?
    var activation: String?
    /// Of Keras 1's normalisation: 0 is by feature, on moving statistics.
    var mode: Int?
    /// How a layer of Keras 1 joins its inputs.
    var join: String?
    /// Numbers of layers that are not Keras' own, by key.
    var numbers: [String: [Double]]
    var flags: [String: Bool]
    /// The layers of a model inside, which is one layer of the outer one.
    var inner: [Layer]

    var isModel: Bool { !inner.isEmpty }
    var isNormalization: Bool { kind.contains("BatchNorm") }
    /// Whether a layer of its own computes max(0, x).
    var isPlainReLU: Bool {
      numbers["max_value"] == nil && ["negative_slope", "threshold"].allSatisfy { (numbers[$0] ?? [0]) == [0] }
    }
  }

  var layers: [Layer]

  /// All layers, those of an inner model in its place.
  var flat: [Layer] { Self.flattened(layers) }

  private static func flattened(_ layers: [Layer]) -> [Layer] {
    layers.flatMap { $0.isModel ? flattened($0.inner) : [$0] }
  }

  /// - Returns: nil for JSON of something else than layers in order, such as a model of a class of its own.
  /// - Throws: `ConventionError` for a text that is no JSON.
  init?(json: Data, of path: String) throws {
    guard let object = try? JSONSerialization.jsonObject(with: json) else {
      throw ConventionError("\(path): the model's configuration is no JSON")
    }
    guard let model = object as? [String: Any] else { return nil }
    layers = Self.layers(of: model)
    if layers.isEmpty { return nil }
  }

  private static func layers(of model: [String: Any]) -> [Layer] {
    // Sequential models of Keras before 2.2.3 are a list.
    let list = (model["config"] as? [String: Any])?["layers"] as? [[String: Any]] ?? model["config"] as? [[String: Any]]
    let layers = (list ?? []).map { Layer($0) }
    // Sequential models have no inputs listed.
    let isSequence = layers.allSatisfy { $0.inputs.isEmpty }
    guard isSequence, layers.count > 1 else { return layers }
    return layers.indices.map { index in
      var layer = layers[index]
      if index > 0 { layer.inputs = [layers[index - 1].name] }
      return layer
    }
  }
}

extension KerasModel.Layer {
  fileprivate init(_ json: [String: Any]) {
    let settings = json["config"] as? [String: Any] ?? [:]
    let kind = json["class_name"] as? String ?? ""
    self.kind = Self.kinds[kind] ?? kind.split(separator: ">").last.map(String.init) ?? kind
    name = settings["name"] as? String ?? json["name"] as? String ?? ""
    inputs = Self.names(in: json["inbound_nodes"])
    epsilon = (settings["epsilon"] as? NSNumber)?.doubleValue
    window = Self.pair(settings["kernel_size"] ?? settings["pool_size"])
      ?? Self.pair([settings["nb_row"], settings["nb_col"]].compactMap { $0 })
    strides = Self.pair(settings["strides"] ?? settings["subsample"])
    dilation = Self.pair(settings["dilation_rate"] ?? settings["atrous_rate"])
    groups = Self.integer(settings["groups"])
    padding = (settings["padding"] ?? settings["border_mode"]) as? String
    zeros = Self.zeros(settings["padding"])
    activation = settings["activation"] as? String
    mode = Self.integer(settings["mode"])
    join = settings["mode"] as? String
    numbers = settings.compactMapValues(Self.list)
    flags = settings.compactMapValues { Self.isFlag($0) ? $0 as? Bool : nil }
    inner = KerasModel.layers(of: json)
  }

  /// Classes that had other names once.
  private static let kinds = [
    "Convolution2D": "Conv2D", "AtrousConvolution2D": "Conv2D", "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
  ]

  private static func isFlag(_ value: Any) -> Bool { (value as? NSNumber).map { isBoolean($0) } ?? false }

  private static func integer(_ value: Any?) -> Int? {
    guard let number = value as? NSNumber, !isBoolean(number) else { return nil }
    return Int(exactly: number.doubleValue)
  }

  private static func list(_ value: Any) -> [Double]? {
    // An array as Keras 3 writes those of numpy.
    if let array = (value as? [String: Any])?["config"] as? [String: Any], let numbers = array["value"] { return list(numbers) }
    if let numbers = value as? [NSNumber] { return numbers.map(\.doubleValue) }
    guard let number = value as? NSNumber, !isBoolean(number) else { return nil }
    return [number.doubleValue]
  }

  private static func pair(_ value: Any?) -> [Int]? {
    if let one = integer(value) { return [one, one] }
    guard let values = value as? [Any], values.count == 2 else { return nil }
    let numbers = values.compactMap(integer)
    return numbers.count == 2 ? numbers : nil
  }

  /// From one number, one an axis, or two an axis.
  private static func zeros(_ value: Any?) -> [Int]? {
    if let axes = value as? [Any], axes.count == 2 {
      let pairs = axes.compactMap { pair($0) }
      return pairs.count == 2 ? pairs.flatMap { $0 } : nil
    }
    guard let values = value as? [Any], values.count == 4 else { return pair(value).map { $0 + $0 } }
    let numbers = values.compactMap(integer)
    return numbers.count == 4 ? numbers : nil
  }

  /// Every version writes an input as a list that starts with the layer's name and two numbers, however deep inside.
  private static func names(in value: Any?, depth: Int = 0) -> [String] {
    guard depth < 32 else { return [] }
    if let list = value as? [Any] {
      if list.count >= 3, let name = list[0] as? String, integer(list[1]) != nil, integer(list[2]) != nil { return [name] }
      return list.flatMap { names(in: $0, depth: depth + 1) }
    }
    guard let map = value as? [String: Any] else { return [] }
    return map.keys.sorted().flatMap { names(in: map[$0], depth: depth + 1) }
  }
}

/// Whether a number of a JSON text was true or false.
private func isBoolean(_ number: NSNumber) -> Bool {
  // On Linux there is no CFBoolean to ask for, but its Objective-C type.
  String(cString: number.objCType) == "c"
}
