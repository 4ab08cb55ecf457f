import Datasets
import DetectionCore
import Foundation
import Testing

/// Images of one pixel whose red is their position; some cannot be read, some take their time.
private struct NumberedDataset: DetectionDataset {
  let count: Int
  var broken: Set<Int> = []
  var delays = false
  let classNames = ["a"]

  struct Broken: Error, Equatable { let index: Int }

  func sample(at index: Int) throws -> Sample {
    if broken.contains(index) { throw Broken(index: index) }
    if delays { Thread.sleep(forTimeInterval: Double(index * 7 % 5) * 1e-3) }
    return Sample(id: index, image: Image(width: 2, height: 1, pixels: [UInt8(index), 0, 0, 0, 0, 0]), annotations: [])
  }

  func header(at index: Int) throws -> SampleHeader { SampleHeader(id: index, width: 2, height: 1, annotations: []) }
}

@Suite struct BatchLoaderTests {
  private let options = InputOptions(
    size: .fixed(width: 2, height: 1), mean: [0, 0, 0], standardDeviation: [1, 1, 1], padMultiple: 2, flipProbability: 0.5)

  private func loader(
    _ dataset: NumberedDataset, batchSize: Int = 3, seed: UInt64 = 5, firstStep: Int = 0, prefetch: Int = 2, threads: Int = 2
  ) -> BatchLoader {
    BatchLoader(
      dataset: dataset, options: options, batchSize: batchSize, seed: seed, firstStep: firstStep, prefetch: prefetch,
      threads: threads)
  }

  @Test(arguments: [(1, 1), (2, 1), (5, 4), (3, 8)])
  func batchesDoNotDependOnPrefetchAndThreads(prefetch: Int, threads: Int) throws {
    let dataset = NumberedDataset(count: 11, delays: true)
    let reference = loader(dataset, prefetch: 1, threads: 1)
    let other = loader(dataset, prefetch: prefetch, threads: threads)
    for _ in 0..<15 {
      let (a, b) = (try reference.next(), try other.next())
      #expect(a.pixels == b.pixels && a.images.map(\.id) == b.images.map(\.id) && a.images.map(\.isFlipped) == b.images.map(\.isFlipped))
    }
  }

  /// Images of different sizes: all are padded as the whole batch is.
  @Test func sharesAreTheBatchInParts() throws {
    let dataset = try TreeCrowns.dataset(split: .train)
    let options = InputOptions(size: .shorterSide(32, longerSide: 64), padMultiple: 1, flipProbability: 0.5)
    func loader(_ size: Int, share: (Int, Int)) -> BatchLoader {
      BatchLoader(dataset: dataset, options: options, batchSize: size, seed: 5, firstStep: 3, share: share, threads: 1)
    }
    let whole = loader(6, share: (0, 1))
    let shares = (0..<3).map { loader(2, share: ($0, 3)) }
    for _ in 0..<4 {
      let (batch, parts) = (try whole.next(), try shares.map { try $0.next() })
      #expect(parts.flatMap { $0.images.map(\.id) } == batch.images.map(\.id))
      #expect(parts.flatMap(\.pixels) == batch.pixels && parts.allSatisfy { $0.height == batch.height && $0.width == batch.width })
    }
  }

  @Test func aLaterStartGoesOnTheSame() throws {
    let dataset = NumberedDataset(count: 10)
    let whole = loader(dataset)
    let later = loader(dataset, firstStep: 6)
    for step in 0..<12 {
      let batch = try whole.next()
      if step >= 6 { #expect(try later.next().pixels == batch.pixels) }
    }
  }

  @Test func everyEpochVisitsEveryImageOnceInAnotherOrder() throws {
    let loader = loader(NumberedDataset(count: 10), batchSize: 4)
    let ids = try (0..<15).flatMap { _ in try loader.next().images.map(\.id) }
    let epochs = stride(from: 0, to: 60, by: 10).map { Array(ids[$0..<($0 + 10)]) }
    for epoch in epochs { #expect(epoch.sorted() == Array(0..<10)) }
    #expect(Set(epochs).count == epochs.count)
    #expect(ids == (0..<15).flatMap { BatchLoader.indexes(step: $0, batchSize: 4, count: 10, seed: 5) })
  }

  @Test func seedsChangeTheOrder() throws {
    let orders = try (0..<5).map { seed in try loader(NumberedDataset(count: 50), batchSize: 50, seed: seed).next().images.map(\.id) }
    #expect(Set(orders).count == 5)
  }

  @Test func batchesMayBeLargerThanTheDataSet() throws {
    let ids = try loader(NumberedDataset(count: 3), batchSize: 8).next().images.map(\.id)
    #expect(ids[..<3].sorted() == [0, 1, 2] && ids[3..<6].sorted() == [0, 1, 2])
  }

  @Test func anErrorComesWithItsBatchAndTheNextOneFollows() throws {
    let loader = loader(NumberedDataset(count: 6, broken: [4]), batchSize: 2)
    for step in 0..<9 {
      let indexes = BatchLoader.indexes(step: step, batchSize: 2, count: 6, seed: 5)
      if indexes.contains(4) {
        #expect(throws: NumberedDataset.Broken(index: 4)) { try loader.next() }
      } else {
        #expect(try loader.next().images.map(\.id) == indexes)
      }
    }
  }

  @Test func afterStoppingThereAreNoMore() throws {
    let loader = loader(NumberedDataset(count: 6))
    _ = try loader.next()
    loader.stop()
    #expect(throws: BatchLoaderError.stopped) { try loader.next() }
    loader.stop()
  }

  /// Loaders let go of with batches in the making must not hang.
  @Test func unusedLoadersEnd() {
    for _ in 0..<20 { _ = loader(NumberedDataset(count: 6, delays: true), prefetch: 4, threads: 4) }
  }
}
