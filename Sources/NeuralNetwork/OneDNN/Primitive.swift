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

  /// What oneDNN needs to describe a primitive, whatever it computes.
  struct Request {
    let result: UnsafeMutablePointer<dnnl_primitive_desc_t?>
    let engine: dnnl_engine_t
    /// The operands', in the order in which they were given.
    let layouts: [onednn_layout?]
    let attributes: dnnl_primitive_attr_t
    /// The forward primitive's, for a backward one.
    let hint: dnnl_primitive_desc_t?
  }

  /// - Parameters:
  ///   - layouts: of the operands.
  ///   - hint: the forward primitive that a backward one belongs to.
  ///   - describe: calls one of oneDNN's `..._primitive_desc_create`.
  convenience init(
    of layouts: [MemoryDescriptor?], attributes: Attributes? = nil, hint: Primitive? = nil, name: String,
    _ describe: (Request) -> dnnl_status_t
  ) throws {
    let engine = try OneDNN.engine.get()
    let attributes = try attributes ?? Attributes()
    var descriptor: dnnl_primitive_desc_t?
    let status = withExtendedLifetime((layouts, attributes, hint)) {
      withUnsafeMutablePointer(to: &descriptor) { result in
        describe(
          Request(
            result: result, engine: engine, layouts: layouts.map { $0?.handle }, attributes: attributes.handle,
            hint: hint?.descriptor))
      }
    }
    try OneDNN.check(status, name)
    guard let descriptor else { throw EngineError("\(name): oneDNN made no descriptor") }
    try self.init(descriptor: descriptor, name: name)
  }

  static func reorder(from source: MemoryDescriptor, to target: MemoryDescriptor, accumulate: Bool, name: String) throws -> Primitive {
    try Primitive(of: [source, target], attributes: accumulate ? Attributes(.sum) : nil, name: "\(name), reorder") {
      dnnl_reorder_primitive_desc_create($0.result, $0.layouts[0], $0.engine, $0.layouts[1], $0.engine, $0.attributes)
    }
  }

  static func sum(_ sources: [MemoryDescriptor], into target: MemoryDescriptor, name: String) throws -> Primitive {
    let scales = Array(repeating: Float(1), count: sources.count)
    return try Primitive(of: sources + [target], name: "\(name), sum") { request in
      onednn_sum(
        request.result, request.engine, request.layouts[sources.count], Int32(sources.count), scales, request.layouts,
        request.attributes)
    }
  }

  /// The layout that oneDNN chose for an argument.
  func layout(_ query: dnnl_query_t) throws -> MemoryDescriptor? {
    try dnnl_primitive_desc_query_md(descriptor, query, 0).map { try MemoryDescriptor(copying: $0) }
  }

  /// What oneDNN calls the implementation that it chose.
  var implementation: String {
    var text: UnsafePointer<CChar>?
    let status = dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, &text)
    return status == dnnl_success ? text.map { String(cString: $0) } ?? "" : ""
  }

  /// How many operands it reads: executing it with more or fewer is an error.
  var inputCount: Int {
    var count: Int32 = 0
    let status = dnnl_primitive_desc_query(descriptor, dnnl_query_num_of_inputs_s32, 0, &count)
    return status == dnnl_success ? Int(count) : 0
  }

  func requiredLayout(_ query: dnnl_query_t, _ name: String) throws -> MemoryDescriptor {
    guard let layout = try layout(query) else { throw EngineError("\(name): oneDNN states no layout") }
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
      case .relu: try OneDNN.check(onednn_append_relu(list), "append ReLU")
      case .sum: try OneDNN.check(onednn_append_sum(list), "append sum")
      }
    }
    try OneDNN.check(dnnl_primitive_attr_set_post_ops(attributes, list), "set post-operations")
  }

  deinit { dnnl_primitive_attr_destroy(handle) }
}
