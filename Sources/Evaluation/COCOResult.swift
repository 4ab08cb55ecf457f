/// COCO's twelve numbers, 0...1, and -1 where no object defines one.
public struct COCOResult: Hashable, Sendable, Codable {
  /// Averaged over IoU 0.5...0.95.
  public var ap: Double
  public var ap50: Double
  public var ap75: Double
  /// Objects below 32², up to 96², above 96² square pixels.
  public var apSmall: Double
  public var apMedium: Double
  public var apLarge: Double
  /// Recall with at most 1, 10, 100 detections an image.
  public var ar1: Double
  public var ar10: Double
  public var ar100: Double
  public var arSmall: Double
  public var arMedium: Double
  public var arLarge: Double
  /// One a class.
  public var perClassAP: [Double]
  public var perClassAP50: [Double]

  /// - Parameter curves: [classes][area ranges].
  init(_ curves: [[AreaCurves]]) {
    func precision(_ area: AreaRange, _ thresholds: Range<Int> = 0..<10) -> Double {
      Self.mean(curves.flatMap { $0[area.rawValue].precision.map { Array($0[thresholds]) } ?? [] })
    }
    func recall(_ area: AreaRange, _ limit: Int) -> Double {
      Self.mean(curves.flatMap { $0[area.rawValue].recall[limit] ?? [] })
    }
    ap = precision(.all)
    ap50 = precision(.all, 0..<1)
    ap75 = precision(.all, 5..<6)
    apSmall = precision(.small)
    apMedium = precision(.medium)
    apLarge = precision(.large)
    ar1 = recall(.all, 1)
    ar10 = recall(.all, 10)
    ar100 = recall(.all, 100)
    arSmall = recall(.small, 100)
    arMedium = recall(.medium, 100)
    arLarge = recall(.large, 100)
    perClassAP = curves.map { Self.mean($0[0].precision ?? []) }
    perClassAP50 = curves.map { $0[0].precision?[0] ?? -1 }
  }

  private static func mean(_ values: [Double]) -> Double {
    values.isEmpty ? -1 : values.reduce(0, +) / Double(values.count)
  }
}
