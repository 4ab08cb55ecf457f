import COneDNN

/// Extents, layout and type of a buffer, as oneDNN describes them; of 32-bit floats unless said otherwise.
struct MemoryDescriptor: Equatable {
  var raw: dnnl_memory_desc_t

  init(raw: dnnl_memory_desc_t) { self.raw = raw }

  /// - Parameter layout: nil leaves the layout to the primitive that uses it.
  init(shape: [Int], layout: dnnl_format_tag_t?, type: dnnl_data_type_t = dnnl_f32) throws {
    var raw = dnnl_memory_desc_t()
    try OneDNN.check(
      dnnl_memory_desc_init_by_tag(
        &raw, Int32(shape.count), shape.map(Int64.init), type, layout ?? dnnl_format_tag_any),
      "describe a tensor of shape \(shape)")
    self.raw = raw
  }

  init(shape: [Int], strides: [Int]) throws {
    var raw = dnnl_memory_desc_t()
    try OneDNN.check(
      dnnl_memory_desc_init_by_strides(
        &raw, Int32(shape.count), shape.map(Int64.init), dnnl_f32, strides.map(Int64.init)),
      "describe a tensor of shape \(shape) and strides \(strides)")
    self.raw = raw
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

  var type: dnnl_data_type_t { raw.data_type }

  /// This one; of an activation, in another type.
  func of(_ type: dnnl_data_type_t) throws -> MemoryDescriptor {
    type == self.type ? self : try .activation(shape, type)
  }

  var shape: [Int] {
    withUnsafeBytes(of: raw.dims) { dims in
      dims.bindMemory(to: Int64.self).prefix(Int(raw.ndims)).map { Int($0) }
    }
  }

  /// Padding of blocked layouts included.
  var byteCount: Int { withUnsafePointer(to: raw) { dnnl_memory_desc_get_size($0) } }

  static func == (a: MemoryDescriptor, b: MemoryDescriptor) -> Bool {
    withUnsafePointer(to: a.raw) { a in withUnsafePointer(to: b.raw) { dnnl_memory_desc_equal(a, $0) != 0 } }
  }
}
