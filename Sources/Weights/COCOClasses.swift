import DetectionCore

extension Convention {
  /// Names for a detector's outputs where its file has none: COCO's where their number is COCO's, else numbers.
  func classNames(count: Int) -> [String] {
    let isTorchvision = name == Convention.torchvision.name
    switch count {
    case 91 where isTorchvision: return COCOClasses.byIdentifier
    case 80: return COCOClasses.names
    // torchvision's first output is the background's, though nothing is trained to be it.
    default: return (0..<count).map { $0 == 0 && isTorchvision ? ClassMatching.background : ClassMatching.generic($0) }
    }
  }
}

/// The classes of COCO (Lin et al. 2014).
enum COCOClasses {
  /// The 80 that are annotated, in the order of their identifiers.
  static let names = byIdentifier.dropFirst().filter { !$0.hasPrefix("unused") }

  /// Identifiers 0...90, as torchvision's detectors number their outputs: 0 is the background, and some are not used.
  static let byIdentifier: [String] = [
    "background", "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "unused 12", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "unused 26", "backpack", "umbrella", "unused 29", "unused 30", "handbag", "tie",
    "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard",
    "surfboard", "tennis racket", "bottle", "unused 45", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana",
    "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "unused 66", "dining table", "unused 68", "unused 69", "toilet", "unused 71", "tv", "laptop",
    "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "unused 83", "book",
    "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
  ]
}
