import Datasets
import DetectionCore

/// What there is to train or to evaluate on: known from the annotations, before anchors are counted.
struct AnnotationSurvey {
  private let classNames: [String]
  /// Objects of each class, those counted that are large enough.
  private var objectCounts: [Int]
  private var crowdCount = 0
  /// Objects of less than a pixel after resizing.
  private var smallCount = 0
  /// Square roots of the areas in resized pixels: the smallest and the largest.
  private var sides: (smallest: Float, largest: Float)?

  /// - Throws: what the data set throws.
  init(_ dataset: any DetectionDataset, options: InputOptions) throws {
    classNames = dataset.classNames
    objectCounts = Array(repeating: 0, count: classNames.count)
    for index in 0..<dataset.count {
      let header = try dataset.header(at: index)
      let size = options.resizedSize(width: header.width, height: header.height)
      let (x, y) = (Float(size.width) / Float(header.width), Float(size.height) / Float(header.height))
      for annotation in header.annotations {
        if annotation.isCrowd {
          crowdCount += 1
        } else if let resized = annotation.resized(x: x, y: y, width: size.width, height: size.height) {
          objectCounts[annotation.classIndex] += 1
          let side = resized.box.area.squareRoot()
          sides = (min(side, sides?.smallest ?? side), max(side, sides?.largest ?? side))
        } else {
          smallCount += 1
        }
      }
    }
  }

  /// Of all classes.
  var objectCount: Int { objectCounts.reduce(0, +) }

  /// What to know before training, a line each.
  /// - Parameter file: where the annotations are, if that is a file.
  /// - Throws: `TrainingError` where there is nothing to train on.
  func notes(file: String?) throws -> [String] {
    var notes: [String] = []
    if objectCount == 0 {
      let rest = [(crowdCount, "are crowds or ignored"), (smallCount, "are smaller than a pixel after resizing")]
        .filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
      throw TrainingError(
        "\(file ?? "data"): there are no objects to train on: "
          + (rest.isEmpty ? "no annotation with a width and a height" : "of the annotations \(rest)"))
    }
    if smallCount > 0 {
      notes.append("\(smallCount) of \(smallCount + objectCount) objects are smaller than a pixel after resizing: left out of training")
    }
    let absent = zip(classNames, objectCounts).filter { $0.1 == 0 }.map { "\"\($0.0)\"" }
    if !absent.isEmpty {
      let names = absent.prefix(5).joined(separator: ", ") + (absent.count > 5 ? " and \(absent.count - 5) more" : "")
      notes.append(
        "no objects of \(absent.count == 1 ? "class" : "classes") \(names) to train on: C counts \(absent.count == 1 ? "it" : "them"), which lowers the optimal bias of all, and the class-adaptive threshold is 0")
    }
    return notes
  }

  /// - Throws: `TrainingError` where no anchor is foreground.
  func check(_ statistics: TrainingStatistics, anchorSizes: [Float]) throws {
    guard statistics.foregroundCount == 0, let sides else { return }
    func shown(_ side: Float) -> String { "\((side * 10).rounded() / 10)" }
    let anchors = [anchorSizes.min(), anchorSizes.max()].compactMap { $0 }.map(shown).joined(separator: "...")
    throw TrainingError(
      "N_f = 0: none of \(statistics.anchorCount) anchors matches one of the \(objectCount) objects, so there is nothing to learn: after resizing these are of \(shown(sides.smallest))...\(shown(sides.largest)) pixels (root of the area), the anchors of \(anchors); set detector.anchors.sizes, input or detector.matcher")
  }
}
