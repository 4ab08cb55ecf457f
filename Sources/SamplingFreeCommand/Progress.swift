import Foundation
import SamplingFree

/// A bar that redraws itself on a terminal, plain lines elsewhere; on standard error.
struct Progress: TrainingObserver {
  private let logEvery: Int
  private let isTerminal = isatty(STDERR_FILENO) != 0
  private var barIsOpen = false
  /// Recent steps, for speed and time left.
  private var recent: [StepReport] = []

  init(logEvery: Int) { self.logEvery = logEvery }

  mutating func note(_ message: String) {
    finish()
    write("\(message)\n")
  }

  mutating func didStep(_ report: StepReport, of steps: Int) {
    recent.append(report)
    if recent.count > 50 { recent.removeFirst() }
    let done = report.step + 1
    guard isTerminal || done % logEvery == 0 || done == steps || report.step == 0 else { return }
    let seconds = recent.reduce(0) { $0 + $1.seconds }
    let speed = recent.reduce(0) { $0 + Double($1.images) } / max(seconds, 1e-9)
    let left = Int(seconds / Double(recent.count) * Double(steps - done))
    let numbers = String(
      format: "loss %.4f (cls %.4f, reg %.4f, w %.3g)  %.1f images/s  %d:%02d left", report.loss, report.classification,
      report.regression, report.scale, speed, left / 60, left % 60)
    if isTerminal {
      let width = 24
      let filled = width * done / max(1, steps)
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
      write("\r\u{1B}[K\(bar) \(done)/\(steps)  \(numbers)")
      barIsOpen = true
    } else {
      write("step \(done)/\(steps)  \(numbers)\n")
    }
  }

  mutating func didEvaluate(_ result: COCOResult, step: Int) {
    note(String(format: "step %d: AP %.4f, AP50 %.4f, AP75 %.4f", step, result.ap, result.ap50, result.ap75))
  }

  /// Ends the bar's line.
  mutating func finish() {
    if barIsOpen { write("\n") }
    barIsOpen = false
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
