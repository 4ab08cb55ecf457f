import COneDNN

/// A compiled oneDNN operation. Owns its descriptor; executing it takes memory objects by argument number.
final class Primitive {
  let handle: dnnl_primitive_t
  let descriptor: dnnl_primitive_desc_t

  /// Takes ownership of `descriptor`.
  private init(descriptor: dnnl_primitive_desc_t, name: String) throws {
    var handle: dnnl_primitive_t?
    let status = dnnl_primitive_create(&handle, descriptor)
    guard status == dnnl_success, let handle else {
      dnnl_primitive_desc_destroy(descriptor)
      try OneDNN.check(status, name)
      throw EngineError("\(name): oneDNN made no primitive")
    }
    self.handle = handle
    self.descriptor = descriptor
  }

  deinit {
    dnnl_primitive_destroy(handle)
    dnnl_primitive_desc_destroy(descriptor)
  }

  /// - Parameters:
  ///   - operation: one of oneDNN's operation descriptors.
  ///   - hint: the forward primitive that a backward one belongs to.
  convenience init(_ operation: UnsafeRawPointer, attributes: Attributes? = nil, hint: Primitive? = nil, name: String) throws {
    let engine = try OneDNN.engine.get()
    let attributes = try attributes ?? Attributes()
    var descriptor: dnnl_primitive_desc_t?
    let status = withExtendedLifetime((attributes, hint)) {
      dnnl_primitive_desc_create(&descriptor, operation, attributes.handle, engine, hint?.descriptor)
    }
    try OneDNN.check(status, name)
    guard let descriptor else { throw EngineError("\(name): oneDNN made no descriptor") }
    try self.init(descriptor: descriptor, name: name)
  }

  static func reorder(from source: MemoryDescriptor, to target: MemoryDescriptor, accumulate: Bool, name: String) throws -> Primitive {
    let engine = try OneDNN.engine.get()
    let attributes = accumulate ? try Attributes(.sum) : try Attributes()
    var descriptor: dnnl_primitive_desc_t?
    var source = source.raw
    var target = target.raw
    let status = withExtendedLifetime(attributes) {
      dnnl_reorder_primitive_desc_create(&descriptor, &source, engine, &target, engine, attributes.handle)
    }
    try OneDNN.check(status, "\(name), reorder")
    guard let descriptor else { throw EngineError("\(name): oneDNN made no reorder") }
    return try Primitive(descriptor: descriptor, name: name)
  }

  static func sum(_ sources: [MemoryDescriptor], into target: MemoryDescriptor, name: String) throws -> Primitive {
    let engine = try OneDNN.engine.get()
    var descriptor: dnnl_primitive_desc_t?
    var target = target.raw
    let scales = Array(repeating: Float(1), count: sources.count)
    let attributes = try Attributes()
    try OneDNN.check(
      withExtendedLifetime(attributes) {
        dnnl_sum_primitive_desc_create(
          &descriptor, &target, Int32(sources.count), scales, sources.map(\.raw), attributes.handle, engine)
      }, "\(name), sum")
    guard let descriptor else { throw EngineError("\(name): oneDNN made no sum") }
    return try Primitive(descriptor: descriptor, name: name)
  }

  /// The layout that oneDNN chose for an argument.
  func layout(_ query: dnnl_query_t) -> MemoryDescriptor? {
    dnnl_primitive_desc_query_md(descriptor, query, 0).map { MemoryDescriptor(raw: $0.pointee) }
  }

  /// What oneDNN calls the implementation that it chose.
  var implementation: String {
    var text: UnsafePointer<CChar>?
    let status = dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, &text)
    return status == dnnl_success ? text.map { String(cString: $0) } ?? "" : ""
  }

  func requiredLayout(_ query: dnnl_query_t, _ name: String) throws -> MemoryDescriptor {
    guard let layout = layout(query) else { throw EngineError("\(name): oneDNN states no layout") }
    return layout
  }
}

/// Operations that a primitive applies to its result before storing it. Scratch memory comes from the program's arena.
final class Attributes {
  enum PostOperation {
    case relu
    /// Adds to what the target holds.
    case sum
  }
  let handle: dnnl_primitive_attr_t

  convenience init(_ operations: PostOperation...) throws { try self.init(operations) }

  init(_ operations: [PostOperation]) throws {
    var attributes: dnnl_primitive_attr_t?
    try OneDNN.check(dnnl_primitive_attr_create(&attributes), "create attributes")
    guard let attributes else { throw EngineError("oneDNN made no attributes") }
    handle = attributes
    try OneDNN.check(
      dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "set scratch memory")
    guard !operations.isEmpty else { return }
    var list: dnnl_post_ops_t?
    try OneDNN.check(dnnl_post_ops_create(&list), "create post-operations")
    defer { dnnl_post_ops_destroy(list) }
    for operation in operations {
      switch operation {
      case .relu:
        try OneDNN.check(dnnl_post_ops_append_eltwise(list, 1, dnnl_eltwise_relu, 0, 0), "append ReLU")
      case .sum: try OneDNN.check(dnnl_post_ops_append_sum(list, 1), "append sum")
      }
    }
    try OneDNN.check(dnnl_primitive_attr_set_post_ops(attributes, list), "set post-operations")
  }

  deinit { dnnl_primitive_attr_destroy(handle) }
}
