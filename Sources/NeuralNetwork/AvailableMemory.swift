import Foundation

/// What this process may still take of the machine's memory.
public enum AvailableMemory {
  /// The least of what the machine has free or can free (swap included), what the process' control group leaves and what
  /// its limits (`ulimit -v`, `ulimit -d`) leave; nil where nothing is known.
  public static var byteCount: Int? {
    [machine, controlGroup, limit(__rlimit_resource_t(RLIMIT_AS.rawValue), "VmSize"), limit(__rlimit_resource_t(RLIMIT_DATA.rawValue), "VmData")]
      .compactMap { $0 }.min()
  }

  private static var machine: Int? {
    let numbers = fields("/proc/meminfo")
    return numbers["MemAvailable"].map { 1024 * ($0 + (numbers["SwapFree"] ?? 0)) }
  }

  /// Of the groups from the process' own upwards the one that leaves least (cgroup v2); caches can be freed.
  private static var controlGroup: Int? {
    guard let line = text("/proc/self/cgroup")?.split(separator: "\n").first(where: { $0.hasPrefix("0::") }) else { return nil }
    var names = line.dropFirst("0::".count).split(separator: "/")
    var least: Int?
    while true {
      let folder = (["/sys/fs/cgroup"] + names.map(String.init)).joined(separator: "/")
      if let most = number("\(folder)/memory.max"), let used = number("\(folder)/memory.current") {
        let caches = fields("\(folder)/memory.stat", separator: " ")["file"] ?? 0
        least = min(least ?? .max, max(0, most - used + min(caches, used)))
      }
      if names.isEmpty { return least }
      names.removeLast()
    }
  }

  private static func limit(_ resource: __rlimit_resource_t, _ used: String) -> Int? {
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < UInt64(Int.max), let used = fields("/proc/self/status")[used] else {
      return nil
    }
    return max(0, Int(limit.rlim_cur) - 1024 * used)
  }

  /// "Name: 123 kB" lines.
  private static func fields(_ path: String, separator: Character = ":") -> [String: Int] {
    var fields: [String: Int] = [:]
    for line in (text(path) ?? "").split(separator: "\n") {
      let parts = line.split(separator: separator, maxSplits: 1)
      guard parts.count == 2, let value = parts[1].split(whereSeparator: \.isWhitespace).first.flatMap({ Int($0) }) else { continue }
      fields[String(parts[0])] = value
    }
    return fields
  }

  private static func number(_ path: String) -> Int? {
    text(path).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  private static func text(_ path: String) -> String? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    return String(decoding: data, as: UTF8.self)
  }
}
