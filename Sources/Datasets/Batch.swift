import DetectionCore
import Parallel

/// An image of a batch: how it got there from the file, and its objects.
public struct PreparedImage: Hashable, Sendable {
  public var id: Int
  public var originalWidth: Int
  public var originalHeight: Int
  /// Resized, without padding.
  public var width: Int
  public var height: Int
  /// Resized / original.
  public var scaleX: Float
  public var scaleY: Float
  public var isFlipped: Bool
  /// In resized pixels, cut to the image, mirrored if the image is; those left with less than a pixel are dropped.
  public var annotations: [Annotation]

  /// Maps a box of the prepared image back to the original's pixels, mirroring undone.
  public func originalBox(_ box: Box) -> Box {
    let upright = isFlipped ? box.mirrored(width: Float(width)) : box
    return upright.scaled(x: 1 / scaleX, y: 1 / scaleY)
  }
}

/// Images as a network takes them.
public struct Batch: Sendable {
  /// `[images.count, 3, height, width]` in C order: (value / 255 - mean) / standard deviation, padding 0.
  public var pixels: [Float]
  public var height: Int
  public var width: Int
  public var images: [PreparedImage]

  /// Resizes, mirrors by chance, normalises and pads.
  /// - Parameters:
  ///   - generator: one number is drawn for each sample, in order.
  ///   - others: images that are not in the batch but are padded to the same size.
  public init(
    samples: [Sample], options: InputOptions, generator: inout SeededGenerator, others: [SampleHeader] = []
  ) {
    let sizes = samples.map { options.resizedSize(width: $0.originalWidth, height: $0.originalHeight) }
    let padded = options.paddedSize(of: sizes + others.map { options.resizedSize(width: $0.width, height: $0.height) })
    let tables = NormalizationTables(options)
    let plane = padded.width * padded.height
    var pixels = [Float](repeating: 0, count: samples.count * 3 * plane)
    images = []
    for (index, sample) in samples.enumerated() {
      let isFlipped = generator.uniform() < options.flipProbability
      let (width, height) = sizes[index]
      images.append(PreparedImage(sample, width: width, height: height, isFlipped: isFlipped))
      pixels.withUnsafeMutableBufferPointer { pixels in
        let target = UnsafeMutableBufferPointer(rebasing: pixels[index * 3 * plane..<(index + 1) * 3 * plane])
        switch options.interpolation {
        case .antialiased:
          let resized = sample.image.resized(width: width, height: height)
          tables.normalize(isFlipped ? resized.flippedHorizontally() : resized, into: target, width: padded.width)
        case .bilinear:
          let image = isFlipped ? sample.image.flippedHorizontally() : sample.image
          tables.normalizeBilinear(image, to: (width, height), into: target, width: padded.width)
        }
      }
    }
    self.pixels = pixels
    height = padded.height
    width = padded.width
  }
}

extension PreparedImage {
  fileprivate init(_ sample: Sample, width: Int, height: Int, isFlipped: Bool) {
    id = sample.id
    originalWidth = sample.originalWidth
    originalHeight = sample.originalHeight
    self.width = width
    self.height = height
    let scaleX = Float(width) / Float(sample.originalWidth)
    let scaleY = Float(height) / Float(sample.originalHeight)
    self.scaleX = scaleX
    self.scaleY = scaleY
    self.isFlipped = isFlipped
    annotations = sample.annotations.compactMap { original in
      var annotation = original.resized(x: scaleX, y: scaleY, width: width, height: height)
      if isFlipped, let box = annotation?.box { annotation?.box = box.mirrored(width: Float(width)) }
      return annotation
    }
  }
}

extension Annotation {
  /// In the pixels of a resized image, cut to it; nil where a side of less than a pixel is left, as no anchor could be
  /// moved onto it by a step that is not many times the others'.
  /// - Parameters:
  ///   - x: resized / original width.
  ///   - width: of the resized image.
  package func resized(x: Float, y: Float, width: Int, height: Int) -> Annotation? {
    var annotation = self
    annotation.box = box.scaled(x: x, y: y).clipped(width: Float(width), height: Float(height))
    annotation.area *= Double(x) * Double(y)
    // 1, but for rounding.
    return min(annotation.box.width, annotation.box.height) > 0.99 ? annotation : nil
  }
}

extension Box {
  fileprivate func scaled(x: Float, y: Float) -> Box { Box(x1: x1 * x, y1: y1 * y, x2: x2 * x, y2: y2 * y) }
  fileprivate func mirrored(width: Float) -> Box { Box(x1: width - x2, y1: y1, x2: width - x1, y2: y2) }
}

/// A byte's normalised value, for each channel: 3 x 256.
struct NormalizationTables {
  let values: [Float]

  init(_ options: InputOptions) {
    values = (0..<3).flatMap { channel in
      (0..<256).map { (Float($0) / 255 - options.mean[channel]) / options.standardDeviation[channel] }
    }
  }

  /// Interleaved bytes to the top left of three planes, whose rows are `width` long.
  func normalize(_ image: Image, into planes: UnsafeMutableBufferPointer<Float>, width: Int) {
    let plane = planes.count / 3
    nonisolated(unsafe) let planes = planes
    values.withUnsafeBufferPointer { values in
      image.pixels.withUnsafeBufferPointer { source in
        Parallel.forChunks(of: image.height, minimumChunk: max(1, 65536 / max(1, image.width))) { _, rows in
          for y in rows {
            var i = y * image.width * 3
            for target in y * width..<y * width + image.width {
              planes[target] = values[Int(source[i])]
              planes[plane + target] = values[256 + Int(source[i + 1])]
              planes[2 * plane + target] = values[512 + Int(source[i + 2])]
              i += 3
            }
          }
        }
      }
    }
  }
}
