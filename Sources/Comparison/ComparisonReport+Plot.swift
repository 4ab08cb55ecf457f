import Datasets
import Drawing
import Evaluation

extension ComparisonReport {
  /// Every run as a ring, means as dots, standard deviations as bars.
  /// - Throws: `DrawingError` where there are more variants than a picture can hold.
  public func plot() throws -> Image {
    let rows = plan.variants.indices.map { SpreadPlot.Row(label: plan.plotLabel(of: $0), remark: remarks(on: $0)) }
    let panels = Self.metrics.map { metric in
      let rows = plan.variants.indices.map { index in
        let samples = self.values(metric.path, of: index).map { 100 * $0 }
        let spread = Spread(samples)
        return SpreadPlot.Values(samples: samples, mean: spread?.mean, spread: spread?.standardDeviation)
      }
      return SpreadPlot.Panel(title: "\(metric.name) (%)", values: rows)
    }
    return try SpreadPlot(rows: rows, panels: panels).image()
  }
}

extension ComparisonPlan {
  /// Strategies' names speak for themselves, other values need their key.
  fileprivate func plotLabel(of variant: Int) -> String {
    let plain: Set = ["variant", "sampler", "lossScaler", "bias", "thresholder"]
    return zip(keys, variants[variant].labels).map { plain.contains($0) ? $1 : "\($0.split(separator: ".").last ?? "")=\($1)" }
      .joined(separator: ", ")
  }
}
