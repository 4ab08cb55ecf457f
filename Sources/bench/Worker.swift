import Foundation

/// Runs a work whenever a line `run` arrives on standard input and answers with its seconds, so that a driver can let two
/// sides take turns. `run 20` takes the mean of 20 after one that does not count. A line `check` runs it once more and
/// answers with what `check` gives.
enum Worker {
  static func serve(check: () throws -> [String: [Double]] = { [:] }, _ work: () throws -> Void) throws {
    answer("ready")
    while let line = readLine() {
      if line == "check" {
        let data = try JSONSerialization.data(withJSONObject: try check(), options: [.sortedKeys])
        answer(String(decoding: data, as: UTF8.self))
        continue
      }
      let times = Int(line.split(separator: " ").last ?? "") ?? 1
      if times > 1 { try work() }
      let start = Clock()
      for _ in 0..<times { try work() }
      answer("{\"seconds\": \(start.wall / Double(times)), \"cpu\": \(start.processor / Double(times))}")
    }
  }

  /// A line that the driver gets at once, whatever standard output is connected to.
  private static func answer(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
}

/// Seconds since it was made: of wall time, and of processor time, all threads', which neighbours do not stretch.
struct Clock {
  private let wallStart = Self.seconds(CLOCK_MONOTONIC)
  private let processorStart = Self.seconds(CLOCK_PROCESS_CPUTIME_ID)

  var wall: Double { Self.seconds(CLOCK_MONOTONIC) - wallStart }
  var processor: Double { Self.seconds(CLOCK_PROCESS_CPUTIME_ID) - processorStart }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
