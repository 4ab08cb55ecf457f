import Evaluation
import Files
import Foundation

/// What is known of a comparison's runs so far.
public struct ComparisonReport: Sendable {
  static let metrics: [(name: String, path: KeyPath<COCOResult, Double> & Sendable)] = [
    ("AP", \.ap), ("AP50", \.ap50), ("AP75", \.ap75),
  ]

  public let plan: ComparisonPlan
  /// [variants]: by seed.
  public private(set) var outcomes: [[Int: RunRecord.Outcome]]

  public init(_ plan: ComparisonPlan) {
    self.plan = plan
    outcomes = Array(repeating: [:], count: plan.variants.count)
  }

  public mutating func add(_ outcome: RunRecord.Outcome, of run: ComparisonPlan.Run) {
    outcomes[run.variant][run.seed] = outcome
  }

  /// A variant's values of runs that did not diverge, in the order of seeds; what the data does not define is left out.
  public func values(_ metric: KeyPath<COCOResult, Double>, of variant: Int) -> [Double] {
    plan.seeds.compactMap { outcomes[variant][$0]?.result?[keyPath: metric] }.filter { $0 >= 0 }
  }

  public func seconds(of variant: Int) -> [Double] {
    plan.seeds.compactMap { outcomes[variant][$0] }.filter { $0.result != nil }.map(\.seconds)
  }

  /// AP less the first variant's, seed by seed, where both finished: seeds share data and initial weights.
  public func gains(of variant: Int) -> [Double] {
    plan.seeds.compactMap { seed in
      guard let own = outcomes[variant][seed]?.result?.ap, let first = outcomes[0][seed]?.result?.ap, own >= 0, first >= 0
      else { return nil }
      return own - first
    }
  }

  /// Seeds of a variant's runs that diverged.
  public func diverged(_ variant: Int) -> [Int] { plan.seeds.filter { outcomes[variant][$0]?.divergence != nil } }

  /// `2 of 3 diverged, 1 to do`; empty where all is well.
  public func remarks(on variant: Int) -> String {
    let (diverged, missing) = (diverged(variant).count, plan.seeds.count - outcomes[variant].count)
    return [diverged > 0 ? "\(diverged) of \(plan.seeds.count) diverged" : nil, missing > 0 ? "\(missing) to do" : nil]
      .compactMap { $0 }.joined(separator: ", ")
  }

  private static let table = "comparison.md", texts = ["comparison.csv", "runs.csv"], picture = "comparison.png"
  static let title = "# Comparison on "

  /// - Throws: `ComparisonError` naming a file of a report's name that is none.
  static func check(_ folder: String) throws {
    let files = ([table] + texts + [picture]).map { "\(folder)/\($0)" }.filter { FileManager.default.fileExists(atPath: $0) }
    guard let first = files.first else { return }
    for file in files {
      do { try OrdinaryFile.check(file) } catch { throw ComparisonError("\(error.path) \(error.reason): set another --output") }
    }
    let isReport = (try? OrdinaryFile.bytes(of: "\(folder)/\(table)"))?.starts(with: title.utf8) == true
    if !isReport { throw ComparisonError("\(first) is there, and no comparison wrote it: move it away or set another --output") }
  }

  /// Writes tables and plot, each whole or not at all.
  /// - Throws: `FileError`, or `DrawingError` for more variants than a picture can hold.
  public func write(in folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, text) in zip([Self.table] + Self.texts, [markdown, csv, runsCSV]) {
      try AtomicFile.write(Data(text.utf8), to: "\(folder)/\(name)")
    }
    try plot().writePNG(to: "\(folder)/\(Self.picture)")
  }
}

/// Mean and spread over seeds.
public struct Spread: Hashable, Sendable {
  public var mean: Double
  /// Sample standard deviation (n - 1); nil for one value.
  public var standardDeviation: Double?

  /// nil without values.
  public init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    mean = values.reduce(0, +) / Double(values.count)
    guard values.count > 1 else { return }
    let mean = mean
    standardDeviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
  }
}
