import CHDF5

/// An array of values in a file.
public struct HDF5Dataset: HDF5Object {
  public let file: HDF5File
  public let path: String
  public let identifier: HDF5Identifier
  /// Extents, outermost first; [] is a scalar.
  public let shape: [Int]
  public let type: HDF5Type
  public let storage: HDF5Storage
  /// Bytes that the values take in the file, compressed.
  public let storedBytes: Int
  private let elementBytes: Int

  init(file: HDF5File, path: String, handle: Handle) throws {
    let place = Place(file: file.path, object: path)
    self.file = file
    self.path = path
    identifier = HDF5Identifier(handle: handle)
    // First of all, as asking a virtual dataset for its shape opens the files it is made of.
    let properties = try place.handle(H5Dget_create_plist(handle.id), H5Pclose)
    storage = try HDF5Storage(properties: properties.id, place)
    let space = try place.handle(H5Dget_space(handle.id), H5Sclose)
    let type = try place.handle(H5Dget_type(handle.id), H5Tclose)
    shape = try Space.shape(space.id, place) ?? [0]
    self.type = HDF5Type(type.id)
    elementBytes = max(1, H5Tget_size(type.id))
    storedBytes = Int(clamping: H5Dget_storage_size(handle.id))
  }

  /// The number of values; nil when it does not fit an `Int`.
  public var count: Int? { elementCount(shape) }

  /// All values in C order, converted to `Number`: from halves, doubles, big-endian and whole numbers.
  /// - Parameter rank: the number of extents there must be, or nil for any.
  /// - Throws: `HDF5Error`: `.mismatch` for another rank or no numbers, `.tooLarge` for a size that the file cannot
  ///   hold or the limits forbid, `.refused` for an unknown filter, `.library` for damage.
  public func read<Number: HDF5Number>(as number: Number.Type = Number.self, rank: Int? = nil) throws -> [Number] {
    if let rank, rank != shape.count {
      throw place.error(.mismatch(expected: "rank \(rank)", found: "shape \(shape)"))
    }
    try checkType(number)
    let count = try checkSize(memoryBytes: MemoryLayout<Number>.stride)
    guard count > 0 else { return [] }
    let memoryType = Number.hdf5Types.memory
    return try [Number](unsafeUninitializedCapacity: count) { buffer, initialized in
      try Library.locked {
        _ = try place.check(
          H5Dread(id, memoryType, CH5S_ALL(), CH5S_ALL(), CH5P_DEFAULT(), buffer.baseAddress))
      }
      initialized = count
    }
  }

  private func checkType(_ number: any HDF5Number.Type) throws {
    switch type {
    case .integer: return
    case .float, .bfloat16:
      if !number.isInteger { return }
      throw place.error(.mismatch(expected: "whole numbers", found: "\(type)"))
    default: throw place.error(.mismatch(expected: "numbers", found: "\(type)"))
    }
  }

  /// The number of values, once it is clear that the file can hold them.
  private func checkSize(memoryBytes: Int) throws -> Int {
    var ratio = 1
    for filter in storage.filters {
      if case .unknown = filter { throw place.error(.refused("\(filter), which is not deflate, shuffle or fletcher32")) }
      if filter == .deflate { ratio *= HDF5Limits.deflateRatio }
    }
    guard Set(storage.filters).count == storage.filters.count else {
      throw place.error(.refused("a filter applied twice"))
    }
    let limits = file.limits
    guard let count, count <= limits.datasetBytes / max(memoryBytes, elementBytes) else {
      throw place.error(.tooLarge("shape \(shape) of \(type) exceeds the limit of \(limits.datasetBytes) bytes"))
    }
    // Zero for a file being written, which holds what was put there.
    guard file.size > 0 else { return count }
    guard storage.chunk != nil || storedBytes <= file.size else {
      throw place.error(.tooLarge("\(storedBytes) stored bytes in a file of \(file.size)"))
    }
    let holdable = min(storedBytes, file.size) * ratio + limits.unstoredBytes
    guard count * elementBytes <= holdable else {
      throw place.error(.tooLarge("shape \(shape) of \(type) does not fit the \(storedBytes) bytes stored"))
    }
    if let chunk = storage.chunk {
      guard let elements = elementCount(chunk), elements <= (file.size * ratio + limits.unstoredBytes) / elementBytes
      else { throw place.error(.tooLarge("chunks of \(chunk) do not fit a file of \(file.size) bytes")) }
    }
    return count
  }
}

extension HDF5Group {
  /// Creates a dataset, and the groups on the way to it.
  /// - Throws: `HDF5Error`: `.invalid` for a name or shape that cannot be, or a name that is taken.
  @discardableResult
  public func createDataset<Number: HDF5Number>(
    _ path: String, shape: [Int], values: [Number], storage: HDF5Storage.Choice = .contiguous
  ) throws -> HDF5Dataset {
    let types = Number.hdf5Types
    return try Library.locked {
      let names = try components(path)
      let name = names[names.count - 1]
      let group = names.count > 1 ? try createGroup(names.dropLast().joined(separator: "/")) : self
      let inner = group.appending(name)
      let place = Place(file: file.path, object: inner)
      guard elementCount(shape) == values.count else {
        throw place.error(.invalid("shape \(shape) does not hold \(values.count) values"))
      }
      guard try place.check(H5Lexists(group.id, name, CH5P_DEFAULT())) == 0 else {
        throw place.error(.invalid("the name is taken"))
      }
      let properties = try place.handle(H5Pcreate(CH5P_DATASET_CREATE()), H5Pclose)
      try place.check(H5Pset_obj_track_times(properties.id, false))
      // Every value is written just below.
      try place.check(H5Pset_fill_time(properties.id, H5D_FILL_TIME_NEVER))
      try HDF5Storage.apply(
        storage, shape: shape, elementBytes: H5Tget_size(types.file), to: properties.id, place)
      let space = try Space.make(shape, place)
      let link = try linkCreation(place)
      let handle = try place.handle(
        H5Dcreate2(group.id, name, types.file, space.id, link.id, properties.id, CH5P_DEFAULT()), H5Dclose)
      if !values.isEmpty {
        try values.withUnsafeBytes { bytes in
          _ = try place.check(
            H5Dwrite(handle.id, types.memory, CH5S_ALL(), CH5S_ALL(), CH5P_DEFAULT(), bytes.baseAddress))
        }
      }
      return try HDF5Dataset(file: file, path: inner, handle: handle)
    }
  }
}
