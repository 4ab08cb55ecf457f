/// How large images become before they enter the network. Both keep the ratio of the sides.
public enum InputSize: Hashable, Sendable {
  /// Fitted into the rectangle, the rest padded at the right and the bottom.
  case fixed(width: Int, height: Int)
  /// The shorter side at this many pixels, unless the longer side would exceed its limit.
  case shorterSide(Int, longerSide: Int)
}

/// How images are resized.
public enum Interpolation: Hashable, Sendable {
  /// Averaged over what a pixel leaves out, rounded to bytes: as Pillow.
  case antialiased
  /// Between the four nearest pixels, whatever is left out, not rounded: as torchvision's detectors and OpenCV.
  case bilinear
}

/// What is done to an image on its way into a batch.
public struct InputOptions: Hashable, Sendable {
  public var size: InputSize
  public var interpolation: Interpolation
  /// Whether the side that follows from the ratio is rounded down instead of to the nearest.
  public var roundsSizeDown: Bool
  /// Of red, green, blue, where 0...1 is the full range.
  public var mean: [Float]
  public var standardDeviation: [Float]
  /// Batches' sides are multiples of this: the stride of the coarsest level that halves exactly.
  public var padMultiple: Int
  /// The chance of an image to be mirrored left to right, 0...1.
  public var flipProbability: Float

  /// - Parameters:
  ///   - mean: three values; ImageNet's unless given.
  ///   - standardDeviation: three positive values; ImageNet's unless given.
  /// - Precondition: sizes and `padMultiple` are positive.
  public init(
    size: InputSize, mean: [Float] = [0.485, 0.456, 0.406], standardDeviation: [Float] = [0.229, 0.224, 0.225],
    padMultiple: Int = 32, interpolation: Interpolation = .antialiased, roundsSizeDown: Bool = false,
    flipProbability: Float = 0
  ) {
    precondition(mean.count == 3 && standardDeviation.count == 3, "mean and standard deviation are of red, green, blue")
    precondition(standardDeviation.allSatisfy { $0 > 0 }, "standard deviations are positive")
    precondition(padMultiple > 0, "padMultiple is positive")
    switch size {
    case .fixed(let width, let height): precondition(width > 0 && height > 0, "the input size is positive")
    case .shorterSide(let shorter, let longer): precondition(shorter > 0 && longer > 0, "the input size is positive")
    }
    self.size = size
    self.interpolation = interpolation
    self.roundsSizeDown = roundsSizeDown
    self.mean = mean
    self.standardDeviation = standardDeviation
    self.padMultiple = padMultiple
    self.flipProbability = flipProbability
  }

  /// The size of the image's own pixels in a batch, at least 1x1.
  public func resizedSize(width: Int, height: Int) -> (width: Int, height: Int) {
    let scale: Double
    switch size {
    case .fixed(let maximumWidth, let maximumHeight):
      scale = min(Double(maximumWidth) / Double(width), Double(maximumHeight) / Double(height))
    case .shorterSide(let shorter, let longer):
      scale = min(Double(shorter) / Double(min(width, height)), Double(longer) / Double(max(width, height)))
    }
    func side(_ length: Int) -> Int { max(1, Int((Double(length) * scale).rounded(roundsSizeDown ? .down : .toNearestOrAwayFromZero))) }
    return (side(width), side(height))
  }

  /// The size of the batch that holds images of these resized sizes.
  public func paddedSize(of sizes: [(width: Int, height: Int)]) -> (width: Int, height: Int) {
    func padded(_ length: Int) -> Int { (length + padMultiple - 1) / padMultiple * padMultiple }
    if case .fixed(let width, let height) = size { return (padded(width), padded(height)) }
    return (padded(sizes.map(\.width).max() ?? 0), padded(sizes.map(\.height).max() ?? 0))
  }
}
