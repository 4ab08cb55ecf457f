import Foundation
import SamplingFree

/// A bar that redraws itself on a terminal, plain lines elsewhere; on standard error.
struct Progress: TrainingObserver {
  private let logEvery: Int
  private let isTerminal =
    isatty(STDERR_FILENO) != 0 && ProcessInfo.processInfo.environment["TERM"].map { $0 != "dumb" } ?? true
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
    let left = Self.duration(seconds / Double(recent.count) * Double(max(0, steps - done)))
    let parts = String(format: " (cls %.4f, reg %.4f)", report.classification, report.regression)
    let loss = String(format: "loss %.4f", report.loss)
    // What a user can do something about: images on a faster disk, more cores.
    let waiting = recent.reduce(0) { $0 + $1.waitSeconds } / max(seconds, 1e-9)
    let data = waiting < 0.03 ? "" : String(format: "%.0f %% waiting for data  ", 100 * waiting)
    let rest = String(format: "  w %.3g  %.1f images/s  ", report.scale, speed) + data + "\(left) left"
    if isTerminal {
      write("\r\u{1B}[K" + Self.bar(done, steps, texts: [loss + parts + rest, loss + rest], columns: Self.columns))
      barIsOpen = true
    } else {
      write("step \(done)/\(steps)  \(loss)\(parts)\(rest)\n")
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

  /// One line of fewer than `columns` characters, as a line that wraps cannot be redrawn: with the first of the texts that
  /// leaves room for a bar.
  static func bar(_ done: Int, _ steps: Int, texts: [String], columns: Int) -> String {
    let count = "\(done)/\(steps)"
    func room(_ text: String) -> Int { columns - 1 - count.count - text.count - 3 }
    guard let text = texts.first(where: { room($0) >= 10 }) else {
      return String("\(count)  \(texts.last ?? "")".prefix(max(0, columns - 1)))
    }
    let width = min(24, room(text))
    let filled = min(width, width * done / max(1, steps))
    return String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled) + " \(count)  \(text)"
  }

  /// `12:03`, or `3:12:03`.
  private static func duration(_ seconds: Double) -> String {
    let total = seconds < 1e9 ? Int(seconds) : 0
    let (hours, minutes) = (total / 3600, total / 60 % 60)
    return hours > 0
      ? String(format: "%d:%02d:%02d", hours, minutes, total % 60) : String(format: "%d:%02d", minutes, total % 60)
  }

  private static var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  private func write(_ text: String) { StandardStreams.say(text) }
}
