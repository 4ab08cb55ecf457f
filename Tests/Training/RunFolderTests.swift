import Files
import Foundation
import SamplingFree
import TestSupport
import Testing

/// What a run finds in its folder, what it leaves alone, and whom it keeps out.
@Suite(.serialized) struct RunFolderTests {
  init() { useThreads(1) }

  static let names = ["weights.h5", "checkpoint.h5", "diverged.h5", "metrics.jsonl", "config.yaml"]

  @Test(arguments: names) func filesThatNoRunWroteStay(name: String) throws {
    let directory = try TemporaryDirectory()
    let text = name == "config.yaml" ? "# mine\ndata: { name: digit-scenes }\n" : "somebody's"
    let file = try directory.write(text, to: "run/\(name)")
    _ = try directory.write("notes", to: "run/notes.txt")
    let configuration = try TinyExperiment.configuration(output: directory.file("run"), "train.steps=1")
    for start in [Trainer.Start.fresh, .overwriting] {
      let error = try thrown(TrainingError.self) { try TinyExperiment.train(configuration, start: start) }
      #expect(error.description.hasPrefix("\(file) is there, and no run wrote it"), "\(error)")
    }
    #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("run")).sorted() == [name, "notes.txt"].sorted())
  }

  @Test func somebodysConfigurationStaysWhereACheckpointIsResumed() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    try TinyExperiment.train(TinyExperiment.configuration(output: folder.path, "train.steps=1"))
    _ = try directory.write("# mine\nseed: 1\n", to: "run/config.yaml")
    let error = try thrown(TrainingError.self) {
      try TinyExperiment.train(TinyExperiment.configuration(output: folder.path, "train.steps=2"), start: .resuming)
    }
    #expect(error.description.hasPrefix("\(folder.configuration) is there, and no run wrote it"), "\(error)")
    try FileManager.default.removeItem(atPath: folder.configuration)
    try TinyExperiment.train(TinyExperiment.configuration(output: folder.path, "train.steps=2"), start: .resuming)
  }

  @Test func overwritingRemovesTheRunsFilesAlone() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    let configuration = try TinyExperiment.configuration(output: folder.path, "train.steps=1")
    try TinyExperiment.train(configuration)
    for name in ["weights.h5.bak", "evaluation.json", "mine/weights.h5", "x.temporary"] { _ = try directory.write("mine", to: "run/\(name)") }
    try TinyExperiment.train(configuration, start: .overwriting)
    for name in ["weights.h5.bak", "evaluation.json", "mine/weights.h5", "x.temporary"] {
      #expect(try bytes(of: directory.file("run/\(name)")) == Data("mine".utf8))
    }
  }

  @Test(arguments: names) func aFolderInAFilesPlaceIsNamed(name: String) throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("kept", to: "run/\(name)/inside")
    let configuration = try TinyExperiment.configuration(output: directory.file("run"), "train.steps=1")
    for start in [Trainer.Start.fresh, .overwriting, .resuming] {
      let error = try thrown(TrainingError.self) { try TinyExperiment.train(configuration, start: start) }
      #expect(error.description.contains("run/\(name) is a folder, not an ordinary file"), "\(error)")
    }
    #expect(try bytes(of: file) == Data("kept".utf8))
  }

  /// Their writers were killed; a file that is still written to is another's.
  @Test func whatDeadWritersLeftIsSwept() throws {
    let directory = try TemporaryDirectory()
    let left = RunFolderTests.names.map { "run/\($0).1abc9z.temporary" }
    for name in left { _ = try directory.write("half", to: name) }
    let other = try directory.write("half", to: "run/other.h5.1abc9z.temporary")
    try TinyExperiment.train(TinyExperiment.configuration(output: directory.file("run"), "train.steps=1"))
    for name in left { #expect(!FileManager.default.fileExists(atPath: directory.file(name)), "\(name)") }
    #expect(FileManager.default.fileExists(atPath: other))
  }

  @Test func aRunKeepsOthersOutUntilItsEnd() throws {
    let directory = try TemporaryDirectory()
    let folder = RunFolder(directory.file("run"))
    let configuration = try TinyExperiment.configuration(output: folder.path, "train.steps=2")
    let notes = Notes()
    notes.afterStep = { report in
      let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      for start in [Trainer.Start.fresh, .overwriting, .resuming] {
        let error = try? thrown(TrainingError.self) { try TinyExperiment.train(configuration, start: start) }
        #expect(error?.description.hasPrefix("train.output: \(folder.path) is in use by process \(getpid()) on ") == true, "\(error as Any)")
      }
      #expect((try? FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()) == files)
    }
    try TinyExperiment.train(configuration, observer: notes)
    #expect(try MetricsLine.read(folder).map(\.step) == [0, 1, 2])
    #expect(throws: Never.self) { try FolderLock(folder.path) }
  }

  /// Before anything is counted.
  @Test func aLockedFolderIsNoticedFirst() throws {
    let directory = try TemporaryDirectory()
    let lock = try FolderLock(directory.file("run"))
    var configuration = try TinyExperiment.configuration(output: directory.file("run"))
    configuration.data.name = .coco
    configuration.data.trainAnnotations = "absent.json"
    configuration.data.trainImages = "."
    let error = try thrown(TrainingError.self) { try TinyExperiment.train(configuration) }
    #expect(error.description.contains("is in use by"))
    withExtendedLifetime(lock) {}
  }
}
