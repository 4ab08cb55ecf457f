import DetectionCore

/// One object of an image's ground truth.
public struct Annotation: Hashable, Sendable {
  public var box: Box
  /// Index into the data set's `classNames`, from 0.
  public var classIndex: Int
  /// COCO's `iscrowd`: a region of many objects, never trained on, ignored in evaluation.
  public var isCrowd: Bool
  /// Square pixels, of the segmentation where there is one, else of the box.
  public var area: Double

  public init(box: Box, classIndex: Int, isCrowd: Bool = false, area: Double? = nil) {
    self.box = box
    self.classIndex = classIndex
    self.isCrowd = isCrowd
    self.area = area ?? Double(box.area)
  }
}

/// An image with its objects.
public struct Sample: Sendable {
  public var id: Int
  public var image: Image
  /// In the pixels of the original.
  public var annotations: [Annotation]
  /// Of the original, of which `image` may be a smaller copy.
  public var originalWidth: Int
  public var originalHeight: Int

  /// - Parameter originalSize: nil for the image's own.
  public init(id: Int, image: Image, annotations: [Annotation], originalSize: (width: Int, height: Int)? = nil) {
    self.id = id
    self.image = image
    self.annotations = annotations
    originalWidth = originalSize?.width ?? image.width
    originalHeight = originalSize?.height ?? image.height
  }
}

/// What is known of an image without decoding it: enough to count anchors.
public struct SampleHeader: Sendable {
  public var id: Int
  public var width: Int
  public var height: Int
  public var annotations: [Annotation]

  public init(id: Int, width: Int, height: Int, annotations: [Annotation]) {
    self.id = id
    self.width = width
    self.height = height
    self.annotations = annotations
  }
}

/// A finite, ordered set of annotated images. `sample(at:)` is called from several threads at once.
public protocol DetectionDataset: Sendable {
  var classNames: [String] { get }
  var count: Int { get }
  /// - Throws: what reading or decoding the image throws, naming the file.
  func sample(at index: Int) throws -> Sample
  /// The sample with no more pixels than a batch with these options is made of, where that is less work.
  func sample(at index: Int, for options: InputOptions) throws -> Sample
  func header(at index: Int) throws -> SampleHeader
}

extension DetectionDataset {
  public func sample(at index: Int, for options: InputOptions) throws -> Sample { try sample(at: index) }
}
