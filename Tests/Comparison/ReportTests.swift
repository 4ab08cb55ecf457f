import Foundation
import SamplingFree
import Testing

@Suite struct ReportTests {
  let bench: Bench

  init() throws { bench = try Bench() }

  /// 2 variants, 3 seeds: the first variant's third run diverged, the second's is to do.
  private func report() throws -> ComparisonReport {
    let plan = try bench.plan("sampler=none,{focal: {gamma: 2, alpha: 0.5}}", seeds: [0, 1, 2])
    var report = ComparisonReport(plan)
    let aps = [[0.30, 0.34], [0.31, 0.29]]
    for run in plan.runs(in: "x") where run.seed < 2 {
      report.add(
        RunRecord.Outcome(result: try result(ap: aps[run.variant][run.seed]), seconds: 60 + Double(run.seed)), of: run)
    }
    report.add(RunRecord.Outcome(result: nil, divergence: "training diverged at step 7: so it is", seconds: 3), of: plan.runs(in: "x")[4])
    return report
  }

  private func result(ap: Double) throws -> COCOResult {
    let names = ["apSmall", "apMedium", "apLarge", "ar1", "ar10", "ar100", "arSmall", "arMedium", "arLarge"]
    let rest = names.map { "\"\($0)\": -1" }.joined(separator: ", ")
    let json = "{\"ap\": \(ap), \"ap50\": \(2 * ap), \"ap75\": -1, \(rest), \"perClassAP\": [], \"perClassAP50\": []}"
    return try JSONDecoder().decode(COCOResult.self, from: Data(json.utf8))
  }

  @Test func theSpreadIsTheSampleStandardDeviation() throws {
    let spread = try #require(Spread([2, 4, 4, 4, 5, 5, 7, 9]))
    #expect(spread.mean == 5)
    #expect(abs(try #require(spread.standardDeviation) - (32.0 / 7).squareRoot()) < 1e-15)
    #expect(Spread([]) == nil)
    #expect(Spread([3])?.mean == 3 && Spread([3])?.standardDeviation == nil)
  }

  @Test func gainsAreTakenSeedBySeed() throws {
    let gains = try report().gains(of: 1)
    #expect(gains.count == 2)
    #expect(zip(gains, [0.01, -0.05]).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test func theTableGivesMeansSpreadsAndWhatIsMissing() throws {
    let rows = try report().markdown.split(separator: "\n").filter { $0.hasPrefix("|") }
    #expect(rows.count == 4)
    #expect(rows[0] == "| sampler | AP | AP50 | AP75 | Δ AP | seconds | runs | remarks |")
    #expect(rows[2] == "| none | 32.0 ± 2.8 | 64.0 ± 5.7 | – |  | 60.5 ± 0.7 | 2 | 1 of 3 diverged |")
    #expect(rows[3] == "| focal: {gamma: 2, alpha: 0.5} | 30.0 ± 1.4 | 60.0 ± 2.8 | – | -2.0 ± 4.2 | 60.5 ± 0.7 | 2 | 1 to do |")
    #expect(try report().markdown.contains("- sampler=none, seed 2: training diverged at step 7: so it is"))
  }

  @Test func theCSVHoldsTheSameUnrounded() throws {
    let rows = try report().csv.split(separator: "\n").map(String.init)
    #expect(rows.count == 3)
    #expect(rows[0] == "sampler,runs,diverged,ap_mean,ap_sd,ap50_mean,ap50_sd,ap75_mean,ap75_sd,gain_mean,gain_sd,seconds_mean,seconds_sd")
    #expect(rows[1].hasPrefix("none,2,1,0.32,0.02828427124746"))
    #expect(rows[2].hasPrefix("\"focal: {gamma: 2, alpha: 0.5}\",2,0,0.3,"))
    #expect(rows[1].split(separator: ",", omittingEmptySubsequences: false).count == 13)
    let runs = try report().runsCSV.split(separator: "\n").map(String.init)
    #expect(runs.count == 7)
    #expect(runs[1] == "none,0,finished,0.3,0.6,-1.0,60.0")
    #expect(runs[3] == "none,2,diverged,,,,3.0")
    #expect(runs[6] == "\"focal: {gamma: 2, alpha: 0.5}\",2,to do,,,,")
  }

  @Test func thePlotHasARowAVariant() throws {
    let one = try ComparisonReport(bench.plan("sampler=none")).plot()
    let two = try report().plot()
    #expect(two.height > one.height && two.width >= one.width)
  }
}
