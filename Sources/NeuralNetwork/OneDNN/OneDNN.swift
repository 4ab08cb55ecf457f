import COneDNN

/// What went wrong in the engine: which operation, and why.
public struct EngineError: Error, CustomStringConvertible, Equatable {
  public let description: String

  public init(_ description: String) { self.description = description }
}

/// The process-wide CPU engine of oneDNN and the checking of its status codes.
enum OneDNN {
  /// oneDNN's engines are immutable and safe to share between threads.
  nonisolated(unsafe) static let engine: Result<dnnl_engine_t, EngineError> = {
    var engine: dnnl_engine_t?
    let status = dnnl_engine_create(&engine, dnnl_cpu, 0)
    guard status == dnnl_success, let engine else {
      return .failure(EngineError("oneDNN offers no CPU engine (status \(status.rawValue))"))
    }
    return .success(engine)
  }()

  static let hasAVX512 = supports(dnnl_cpu_isa_avx512_core)
  static let hasBF16 = supports(dnnl_cpu_isa_avx512_core_bf16)
  /// Matrix units, far faster in bf16 than any algorithm in fp32.
  static let hasAMX = supports(dnnl_cpu_isa_avx512_core_amx)

  /// Of oneDNN 2 alone.
  static let hasWinograd = hasAVX512 && onednn_has_winograd() != 0

  private static func supports(_ set: dnnl_cpu_isa_t) -> Bool {
    dnnl_get_effective_cpu_isa().rawValue & set.rawValue == set.rawValue
  }

  static func check(_ status: dnnl_status_t, _ operation: @autoclosure () -> String) throws {
    guard status != dnnl_success else { return }
    let reason =
      switch status {
      case dnnl_out_of_memory: "out of memory"
      case dnnl_invalid_arguments: "invalid arguments"
      case dnnl_unimplemented: "not implemented by this oneDNN for this machine, shape or layout"
      case dnnl_runtime_error: "run-time error"
      default: "status \(status.rawValue)"
      }
    throw EngineError("\(operation()): \(reason)")
  }
}
