import COneDNN

/// Extents, layout and type of a buffer, as oneDNN describes them; of 32-bit floats unless said otherwise.
final class MemoryDescriptor: Equatable {
  /// oneDNN's object, which lives as long as this one: read it inside `withExtendedLifetime` or `read`.
  let handle: onednn_layout

  /// Of what a primitive owns.
  init(copying other: onednn_layout) throws {
    handle = try Self.make("describe a tensor") { onednn_layout_copy($0, other) }
  }

  /// - Parameter layout: nil leaves the layout to the primitive that uses it.
  init(shape: [Int], layout: dnnl_format_tag_t?, type: dnnl_data_type_t = dnnl_f32) throws {
    handle = try Self.make("describe a tensor of shape \(shape)") {
      onednn_layout_with_tag($0, Int32(shape.count), shape.map(Int64.init), type, layout ?? dnnl_format_tag_any)
    }
  }

  init(shape: [Int], strides: [Int]) throws {
    handle = try Self.make("describe a tensor of shape \(shape) and strides \(strides)") {
      onednn_layout_with_strides($0, Int32(shape.count), shape.map(Int64.init), dnnl_f32, strides.map(Int64.init))
    }
  }

  deinit { onednn_layout_destroy(handle) }

  private static func make(
    _ operation: @autoclosure () -> String, _ create: (UnsafeMutablePointer<onednn_layout?>) -> dnnl_status_t
  ) throws -> onednn_layout {
    var handle: onednn_layout?
    try OneDNN.check(create(&handle), operation())
    guard let handle else { throw EngineError("\(operation()): oneDNN made no descriptor") }
    return handle
  }

  /// C order.
  static func plain(_ shape: [Int]) throws -> MemoryDescriptor {
    var strides = Array(repeating: 1, count: shape.count)
    for i in shape.indices.dropLast().reversed() { strides[i] = strides[i + 1] * shape[i + 1] }
    return try MemoryDescriptor(shape: shape, strides: strides)
  }

  /// Channels in blocks of a vector register, the layout in which all activations stay, where the machine's kernels are
  /// best at it; elsewhere each primitive's choice.
  static func activation(_ shape: [Int], _ type: dnnl_data_type_t = dnnl_f32) throws -> MemoryDescriptor {
    guard shape.count == 4, shape[1] >= 16, OneDNN.hasAVX512 else { return try any(shape, type) }
    // AMX kernels want channels last.
    let layout = type == dnnl_bf16 && OneDNN.hasAMX ? dnnl_nhwc : dnnl_nChw16c
    return try MemoryDescriptor(shape: shape, layout: layout, type: type)
  }

  static func any(_ shape: [Int], _ type: dnnl_data_type_t = dnnl_f32) throws -> MemoryDescriptor {
    try MemoryDescriptor(shape: shape, layout: nil, type: type)
  }

  func read<Result>(_ body: (onednn_layout) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) { try body(handle) }
  }

  var type: dnnl_data_type_t { read(onednn_layout_type) }

  /// This one; of an activation, in another type.
  func of(_ type: dnnl_data_type_t) throws -> MemoryDescriptor {
    type == self.type ? self : try .activation(shape, type)
  }

  var shape: [Int] {
    read { layout in
      UnsafeBufferPointer(start: onednn_layout_extents(layout), count: Int(onednn_layout_rank(layout))).map { Int($0) }
    }
  }

  /// Padding of blocked layouts included.
  var byteCount: Int { read(dnnl_memory_desc_get_size) }

  static func == (a: MemoryDescriptor, b: MemoryDescriptor) -> Bool {
    a === b || a.read { a in b.read { dnnl_memory_desc_equal(a, $0) != 0 } }
  }
}
