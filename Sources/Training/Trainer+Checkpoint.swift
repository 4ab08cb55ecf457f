import Configuration
import DetectionCore
import Detectors
import Foundation
import NeuralNetwork
import Weights

extension Trainer {
  /// - Parameter step: steps done.
  /// - Throws: `TrainingDiverged` where a value is not finite: nobody wants such weights.
  func weights(step: Int) throws -> ModelWeights {
    var tensors: [String: Tensor] = [:]
    for entry in network.parameters.entries {
      let path = entry.declaration.path
      tensors[path] = try network.parameters.tensor(path)
    }
    let weights = ModelWeights(
      tensors: tensors,
      metadata: WeightsMetadata(
        detector: configuration.detector.name.rawValue, configuration: configuration.withoutPluginPaths.yaml, classNames: classNames,
        statistics: statistics))
    if let path = weights.firstNotFinite {
      throw TrainingDiverged(step: max(0, step - 1), reason: "\(path) is not finite any more")
    }
    return weights
  }

  /// - Parameter step: steps done.
  func writeCheckpoint(step: Int, to path: String) throws {
    var training = try strategies.state()
    training[Self.stepKey] = [Double(step)]
    if processes.count > 1 { training[Self.processesKey] = [Double(processes.count)] }
    try WeightsFile.write(
      Checkpoint(weights: try weights(step: step), optimizer: optimizer.state, training: training), to: path)
  }

  private static let stepKey = "step"
  private static let processesKey = "processes"

  /// - Throws: `TrainingError` where the checkpoint is another detector's, or of other classes.
  mutating func load(_ checkpoint: Checkpoint) throws {
    let match = checkpoint.weights.match(expected: network.expectedShapes)
    guard match.isComplete else {
      throw TrainingError("\(files.checkpoint) does not fit the configuration's detector: \(match.summary())")
    }
    if let difference = ClassMatching.difference(
      checkpoint.weights.metadata.classNames, of: files.checkpoint, classNames, of: "the training set")
    {
      throw TrainingError(difference)
    }
    for (path, tensor) in match.tensors { try network.parameters.set(path, to: tensor) }
    try optimizer.restore(checkpoint.optimizer)
    var training = checkpoint.training
    training[Self.processesKey] = nil
    guard let step = training.removeValue(forKey: Self.stepKey)?.first, step >= 0, step < 1e15 else {
      throw TrainingError("\(files.checkpoint) does not say at which step it was written")
    }
    firstStep = Int(step)
    strategies.restore(training)
  }

  /// What the run that goes on does otherwise than the one that the checkpoint is of, in lines.
  func differences(from checkpoint: Checkpoint) throws -> [String] {
    let old = try ExperimentConfiguration(yaml: checkpoint.weights.metadata.configuration, name: "\(files.checkpoint)'s configuration")
    // Where and how often files are written changes nothing.
    let indifferent: Set = ["train.output", "train.logEvery", "train.checkpointEvery"]
    var lines = configuration.withoutPluginPaths.differences(from: old).filter { !indifferent.contains($0.key) }.map {
      "differs from the checkpoint's: \($0)"
    }
    let count = checkpoint.training[Self.processesKey]?.first ?? 1
    if count != Double(processes.count) {
      lines.append(
        "differs from the checkpoint's: \(Int(count)) -> \(processes.count) processes of \(configuration.train.batchSize) images each")
    }
    if let known = checkpoint.weights.metadata.statistics {
      func change<T: Equatable>(_ name: String, _ key: KeyPath<TrainingStatistics, T>) -> String? {
        known[keyPath: key] == statistics[keyPath: key] ? nil : "\(name) \(known[keyPath: key]) -> \(statistics[keyPath: key])"
      }
      let changes = [
        change("images", \.imageCount), change("N", \.anchorCount), change("N_f", \.foregroundCount),
        change("N_j", \.foregroundCounts), change("objects", \.objectCounts), change("images with them", \.imageCounts),
      ].compactMap { $0 }
      if !changes.isEmpty {
        lines.append("the data, or how anchors match it, have changed since the checkpoint; counted anew: \(changes.joined(separator: ", "))")
      }
    }
    if firstStep > configuration.train.steps {
      lines.append("nothing is left to train: the checkpoint is past train.steps, \(configuration.train.steps)")
    }
    return lines
  }
}

extension RunFolder {
  /// - Throws: `TrainingError` where there is none, `HDF5Error` where it is damaged.
  func readCheckpoint() throws -> Checkpoint {
    guard FileManager.default.fileExists(atPath: checkpoint) else {
      throw TrainingError("cannot resume: there is no checkpoint \(checkpoint)")
    }
    return try WeightsFile.readCheckpoint(checkpoint)
  }
}
