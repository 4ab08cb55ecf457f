/// A dynamic library with strategies, seen from both sides.
///
/// The library's author declares the one function that a host looks for, and names the strategies in it:
/// ```swift
/// @_cdecl("sampling_free_plugin")
/// public func plugin(_ host: UnsafeMutableRawPointer) {
///   StrategyPlugin.register(in: host) { $0.register(MySampler.self) }
/// }
/// ```
/// The library leaves DetectionCore's symbols undefined; the host, which exports them, has the only copy, so that both
/// mean the same types and protocols.
public enum StrategyPlugin {
  /// The function's name.
  public static let entryName = "sampling_free_plugin"
  public typealias Entry = @convention(c) (UnsafeMutableRawPointer) -> Void

  /// Registers a plugin's strategies with the host that called.
  /// - Parameter host: as the entry function was given it.
  @_alwaysEmitIntoClient
  public static func register(in host: UnsafeMutableRawPointer, _ strategies: (inout StrategyRegistry) -> Void) {
    // Compiled into the plugin, so that the stamp is the plugin's.
    register(in: host, stamp: PluginStamp.current, strategies)
  }

  public static func register(
    in host: UnsafeMutableRawPointer, stamp: StaticString, _ strategies: (inout StrategyRegistry) -> Void
  ) {
    let host = host.assumingMemoryBound(to: Host.self)
    host.pointee.stamp = PluginStamp(stamp)
    if host.pointee.stamp == .host { strategies(&host.pointee.registry) }
  }

  /// What a plugin registers; a host's part.
  /// - Throws: `StrategyError` where the plugin was compiled for another host, or registers nothing.
  public static func strategies(of entry: Entry) throws -> StrategyRegistry {
    var host = Host()
    withUnsafeMutablePointer(to: &host) { entry(UnsafeMutableRawPointer($0)) }
    guard let stamp = host.stamp else { throw StrategyError("\(entryName) does not call StrategyPlugin.register") }
    if let difference = stamp.difference(from: .host) { throw StrategyError("it \(difference)") }
    guard !host.registry.isEmpty else { throw StrategyError("\(entryName) registers no strategy") }
    return host.registry
  }

  private struct Host {
    var registry = StrategyRegistry()
    var stamp: PluginStamp?
  }
}
