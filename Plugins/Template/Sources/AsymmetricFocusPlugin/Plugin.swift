import AsymmetricFocus
import DetectionCore

/// What sampling-free calls when it has loaded the library.
@_cdecl("sampling_free_plugin")
public func plugin(_ host: UnsafeMutableRawPointer) {
  StrategyPlugin.register(in: host) { registry in
    registry.register(AsymmetricFocus.self)
  }
}
