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
  func writeCheckpoint(step: Int) throws {
    var training = try strategies.state()
    training["step"] = [Double(step)]
    try WeightsFile.write(
      Checkpoint(weights: try weights(step: step), optimizer: optimizer.state, training: training), to: files.checkpoint)
  }

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
    guard let step = training.removeValue(forKey: "step")?.first, step >= 0, step < 1e15 else {
      throw TrainingError("\(files.checkpoint) does not say at which step it was written")
    }
    firstStep = Int(step)
    strategies.restore(training)
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
