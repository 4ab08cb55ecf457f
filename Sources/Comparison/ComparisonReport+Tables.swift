import Evaluation
import Foundation

extension ComparisonReport {
  /// A row a variant; mean ± standard deviation in per cent.
  public var markdown: String {
    let columns = plan.keys + Self.metrics.map(\.name) + ["Δ AP", "seconds", "runs", "remarks"]
    var lines = [
      "\(Self.title)\(plan.source)", "",
      "Seeds \(plan.seeds.map(String.init).joined(separator: ", ")), the same for all rows. AP, AP50 and AP75 (COCO's): per cent, mean ± standard deviation over seeds. Δ AP: against the first row, seed by seed. Seconds: of training, evaluation left out. Runs: those that the means are of.",
      "", row(columns), row(columns.map { _ in "---" }),
    ]
    for index in plan.variants.indices {
      let metrics = Self.metrics.map { Spread(values($0.path, of: index)).text(scale: 100, digits: 1) }
      let gain = index == 0 ? "" : Spread(gains(of: index)).text(scale: 100, digits: 1, signed: true)
      lines.append(
        row(
          plan.variants[index].labels + metrics
            + [gain, Spread(seconds(of: index)).text(digits: 1), "\(seconds(of: index).count)", remarks(on: index)]))
    }
    let divergences = plan.variants.indices.flatMap { index in
      diverged(index).map { "- \(plan.name(of: index)), seed \($0): \(outcomes[index][$0]?.divergence ?? "")" }
    }
    if !divergences.isEmpty { lines += ["", "Diverged:", ""] + divergences }
    return (lines + ["", "![AP, AP50 and AP75 of every variant](comparison.png)", ""]).joined(separator: "\n")
  }

  private func row(_ cells: [String]) -> String {
    "| \(cells.map { $0.replacingOccurrences(of: "|", with: "\\|") }.joined(separator: " | ")) |"
  }

  /// A line a variant; AP in 0...1.
  public var csv: String {
    let numbers = Self.metrics.map { $0.name.lowercased() } + ["gain", "seconds"]
    let header = plan.keys + ["runs", "diverged"] + numbers.flatMap { ["\($0)_mean", "\($0)_sd"] }
    let rows = plan.variants.indices.map { index in
      let spreads = Self.metrics.map { Spread(values($0.path, of: index)) } + [Spread(gains(of: index)), Spread(seconds(of: index))]
      let cells = spreads.flatMap { [$0.map { "\($0.mean)" } ?? "", $0?.standardDeviation.map { "\($0)" } ?? ""] }
      return plan.variants[index].labels + ["\(seconds(of: index).count)", "\(diverged(index).count)"] + cells
    }
    return Self.csv([header] + rows)
  }

  /// A line a run; AP in 0...1.
  public var runsCSV: String {
    var rows = [plan.keys + ["seed", "status", "ap", "ap50", "ap75", "seconds"]]
    for index in plan.variants.indices {
      for seed in plan.seeds {
        let outcome = outcomes[index][seed]
        let status = outcome == nil ? "to do" : outcome?.result == nil ? "diverged" : "finished"
        let values = Self.metrics.map { metric in outcome?.result.map { "\($0[keyPath: metric.path])" } ?? "" }
        rows.append(plan.variants[index].labels + ["\(seed)", status] + values + [outcome.map { "\($0.seconds)" } ?? ""])
      }
    }
    return Self.csv(rows)
  }

  /// RFC 4180, with plain line feeds.
  private static func csv(_ rows: [[String]]) -> String {
    rows.map { row in
      row.map { cell in
        cell.contains { ",\"\n\r".contains($0) } ? "\"\(cell.replacingOccurrences(of: "\"", with: "\"\""))\"" : cell
      }.joined(separator: ",") + "\n"
    }.joined()
  }
}

extension Spread? {
  /// `36.4 ± 0.3`, or a dash without values.
  fileprivate func text(scale: Double = 1, digits: Int, signed: Bool = false) -> String {
    guard let self else { return "–" }
    let mean = String(format: signed ? "%+.\(digits)f" : "%.\(digits)f", scale * self.mean)
    return self.standardDeviation.map { "\(mean) ± \(String(format: "%.\(digits)f", scale * $0))" } ?? mean
  }
}
