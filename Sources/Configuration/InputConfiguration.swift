/// How an image becomes the network's input.
public struct InputConfiguration: Hashable, Sendable {
  public enum Interpolation: String, Hashable, Sendable, CaseIterable { case antialiased, bilinear }
  public enum SizeRounding: String, Hashable, Sendable, CaseIterable { case nearest, down }

  /// Either both of these, pixels: images are fitted into a canvas of this size...
  public var width: Int? = 128
  public var height: Int? = 128
  /// ...or both of these: the shorter side gets this length unless the longer one would pass its bound.
  public var shorterSide: Int?
  public var longerSide: Int?
  /// How images are resized: averaged over what a pixel leaves out, or from the four nearest pixels alone.
  public var interpolation = Interpolation.antialiased
  /// How the other side, which the ratio gives, becomes a whole number.
  public var sizeRounding = SizeRounding.nearest
  /// Of RGB in 0...1; ImageNet's.
  public var mean: [Float] = [0.485, 0.456, 0.406]
  public var standardDeviation: [Float] = [0.229, 0.224, 0.225]
  /// Probability of a horizontal flip in training.
  public var flip: Float = 0

  public init() {}

  init(_ reader: inout SectionReader) throws {
    let sides = try ["width", "height", "shorterSide", "longerSide"].map { try reader.int($0, 0, in: 0...16384) }
    interpolation = try reader.choice("interpolation", interpolation)
    sizeRounding = try reader.choice("sizeRounding", sizeRounding)
    mean = try reader.floats("mean", mean, in: -10...10, count: 3)
    standardDeviation = try reader.floats("standardDeviation", standardDeviation, in: 1e-6...10, count: 3)
    flip = try reader.float("flip", flip, in: 0...1)
    // Zero, or absent, takes a side back that a base gave.
    (width, height, shorterSide, longerSide) = (nil, nil, nil, nil)
    switch sides.map({ $0 > 0 }) {
    case [true, true, false, false]: (width, height) = (sides[0], sides[1])
    case [false, false, true, true]: (shorterSide, longerSide) = (sides[2], sides[3])
    case [false, false, false, false]: (width, height) = (128, 128)
    default:
      throw reader.problem("must have either width and height, or shorterSide and longerSide (0 takes one back that the base gives)")
    }
  }

  func emit(_ emitter: inout Emitter) {
    emitter.section("input") { e in
      for (key, value) in [("width", width), ("height", height), ("shorterSide", shorterSide), ("longerSide", longerSide)] {
        if let value { e.value(key, value) }
      }
      e.text("interpolation", interpolation.rawValue)
      e.text("sizeRounding", sizeRounding.rawValue)
      e.list("mean", mean)
      e.list("standardDeviation", standardDeviation)
      e.value("flip", flip)
    }
  }
}
