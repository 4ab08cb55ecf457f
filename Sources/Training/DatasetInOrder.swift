import Datasets
import DetectionCore

extension DetectionDataset {
  /// The same images with the classes of a detector: annotations' class indexes are its outputs'.
  /// - Parameter owners: of the two lists of classes, for errors.
  /// - Throws: `TrainingError` naming a class that the detector does not know.
  public func inOrder(
    of classNames: [String], owners: (dataset: String, classes: String) = ("the data set", "the detector")
  ) throws -> any DetectionDataset {
    if self.classNames == classNames { return self }
    let matching = ClassMatching(self.classNames, in: classNames, byNameAlone: true)
    if let complaint = matching.complaint(owners.dataset, owners.classes) { throw TrainingError("data: \(complaint)") }
    return DatasetInOrder(base: self, classNames: classNames, indexes: matching.indexes.map { $0 ?? 0 })
  }
}

private struct DatasetInOrder: DetectionDataset {
  let base: any DetectionDataset
  let classNames: [String]
  /// By the data set's own class index.
  let indexes: [Int]

  var count: Int { base.count }

  func sample(at index: Int) throws -> Sample { ordered(try base.sample(at: index)) }
  func sample(at index: Int, for options: InputOptions) throws -> Sample { ordered(try base.sample(at: index, for: options)) }

  func header(at index: Int) throws -> SampleHeader {
    var header = try base.header(at: index)
    for i in header.annotations.indices { header.annotations[i].classIndex = indexes[header.annotations[i].classIndex] }
    return header
  }

  private func ordered(_ sample: Sample) -> Sample {
    var sample = sample
    for i in sample.annotations.indices { sample.annotations[i].classIndex = indexes[sample.annotations[i].classIndex] }
    return sample
  }
}
