import CZlib
import Glibc

/// Puts a dataset together from its chunks.
struct ChunkReader {
  let dataset: HDF5Dataset
  let table: Catalogue.ChunkTable
  /// Bytes of a chunk without filters.
  private let chunkBytes: Int
  /// Along each axis.
  private let gridExtents: [Int]

  private var shape: [Int] { dataset.shape }
  private var place: Place { dataset.place }

  /// - Throws: `HDF5Error` for chunks that claim more than fits the dataset.
  init(dataset: HDF5Dataset, table: Catalogue.ChunkTable) throws {
    let place = dataset.place
    if let failure = table.failure { throw place.error(failure) }
    guard table.extents.count == dataset.shape.count, !table.extents.isEmpty, table.extents.allSatisfy({ $0 > 0 }) else {
      throw place.error(.mismatch(expected: "chunks of \(dataset.shape.count) extents", found: "\(table.extents)"))
    }
    gridExtents = zip(dataset.shape, table.extents).map { ($0 - 1) / $1 + 1 }
    // Chunks at the edges reach beyond the dataset, but not by orders of magnitude.
    let most = 16 * (elementCount(dataset.shape) ?? 0) * dataset.elementBytes + (64 << 20)
    guard let elements = elementCount(table.extents), elements <= most / dataset.elementBytes,
      let grid = elementCount(gridExtents), grid <= most / (elements * dataset.elementBytes)
    else {
      throw place.error(.tooLarge("chunks of \(table.extents) for shape \(dataset.shape)"))
    }
    self.dataset = dataset
    self.table = table
    chunkBytes = elements * dataset.elementBytes
  }

  /// - Precondition: `target` holds the dataset's values.
  func read<Number: HDF5Number>(into target: UnsafeMutableBufferPointer<Number>) throws {
    let places = gridExtents.reduce(1, *)
    var seen = Set<Int>()
    let chunks = table.chunks.filter { (0..<places).contains($0.index) && seen.insert($0.index).inserted }
    if chunks.count < places { try dataset.fill(target, ifNothingIsThere: chunks.isEmpty) }
    let longest = chunks.map(\.byteCount).max() ?? 0
    guard longest >= 0, longest <= dataset.file.size else { throw place.error(.tooLarge("a chunk of \(longest) bytes")) }
    let buffers = Buffers(byteCount: max(chunkBytes + 4, longest))
    defer { buffers.deallocate() }
    for chunk in chunks {
      let bytes = try decode(chunk, buffers)
      copy(bytes, at: offsets(of: chunk), into: target)
    }
  }

  private func offsets(of chunk: Catalogue.ChunkTable.Chunk) -> [Int] {
    var (offsets, rest) = (table.extents, chunk.index)
    for axis in offsets.indices.reversed() {
      offsets[axis] *= rest % gridExtents[axis]
      rest /= gridExtents[axis]
    }
    return offsets
  }

  // MARK: Filters

  /// Two of one size, between which the filters go back and forth.
  private struct Buffers {
    let first: UnsafeMutableRawBufferPointer
    let second: UnsafeMutableRawBufferPointer

    init(byteCount: Int) {
      first = .allocate(byteCount: byteCount, alignment: 64)
      second = .allocate(byteCount: byteCount, alignment: 64)
    }

    func deallocate() {
      first.deallocate()
      second.deallocate()
    }
  }

  /// A chunk's elements as they were before the filters, which are undone from last to first.
  private func decode(_ chunk: Catalogue.ChunkTable.Chunk, _ buffers: Buffers) throws -> UnsafeRawBufferPointer {
    guard chunk.byteCount > 0 else { throw damage("a chunk of \(chunk.byteCount) bytes") }
    var (data, spare) = (buffers.first, buffers.second)
    var count = chunk.byteCount
    try dataset.file.read(at: chunk.address, into: UnsafeMutableRawBufferPointer(rebasing: data[..<count]), place)
    for (index, filter) in dataset.storage.filters.enumerated().reversed() {
      if chunk.skippedFilters & (1 << UInt32(index)) != 0 { continue }
      let input = UnsafeRawBufferPointer(rebasing: data[..<count])
      switch filter {
      case .fletcher32:
        guard count >= 4 else { throw damage("a chunk without its checksum") }
        count -= 4
        let stored = UInt32(littleEndian: input.loadUnaligned(fromByteOffset: count, as: UInt32.self))
        guard Fletcher32.isValid(stored, for: UnsafeRawBufferPointer(rebasing: input[..<count])) else {
          throw damage("a chunk's checksum is wrong")
        }
      case .deflate:
        // What other filters add lies within the four bytes of a checksum.
        var produced = uLongf(chunkBytes + 4)
        let status = uncompress(
          spare.baseAddress?.assumingMemoryBound(to: Bytef.self), &produced,
          input.baseAddress?.assumingMemoryBound(to: Bytef.self), uLong(count))
        guard status == Z_OK else { throw damage("a chunk cannot be decompressed") }
        count = Int(produced)
        swap(&data, &spare)
      case .shuffle:
        unshuffle(input, into: spare)
        swap(&data, &spare)
      case .unknown: throw place.error(.refused("\(filter)"))
      }
    }
    guard count == chunkBytes else { throw damage("a chunk of \(count) bytes instead of \(chunkBytes)") }
    return UnsafeRawBufferPointer(rebasing: data[..<count])
  }

  private func damage(_ what: String) -> HDF5Error { place.error(.library("damaged: \(what)")) }

  /// From all elements' first bytes, then all second ones, ..., to elements.
  private func unshuffle(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) {
    let size = dataset.elementBytes
    let elements = input.count / size
    guard let source = input.baseAddress, let target = output.baseAddress else { return }
    if size == 4 {
      for i in 0..<elements {
        let low = UInt32(source.load(fromByteOffset: i, as: UInt8.self))
          | UInt32(source.load(fromByteOffset: i + elements, as: UInt8.self)) << 8
        let high = UInt32(source.load(fromByteOffset: i + 2 * elements, as: UInt8.self))
          | UInt32(source.load(fromByteOffset: i + 3 * elements, as: UInt8.self)) << 8
        target.storeBytes(of: (low | high << 16).littleEndian, toByteOffset: 4 * i, as: UInt32.self)
      }
    } else {
      for byte in 0..<size {
        for i in 0..<elements { output[i * size + byte] = input[byte * elements + i] }
      }
    }
    // Bytes that fill no element are left where they are.
    memcpy(target + elements * size, source + elements * size, input.count - elements * size)
  }

  // MARK: Placing

  /// Copies what of a chunk lies inside the dataset, run by run.
  private func copy<Number: HDF5Number>(
    _ bytes: UnsafeRawBufferPointer, at offsets: [Int], into target: UnsafeMutableBufferPointer<Number>
  ) {
    let rank = shape.count
    let inside = (0..<rank).map { min(table.extents[$0], shape[$0] - offsets[$0]) }
    // Axes from `outer` on are one run, in the chunk as in the dataset.
    var outer = rank - 1
    while outer > 0, inside[outer] == table.extents[outer], inside[outer] == shape[outer] { outer -= 1 }
    var (chunkStrides, strides) = (Array(repeating: 1, count: rank), Array(repeating: 1, count: rank))
    for axis in (0..<(rank - 1)).reversed() {
      chunkStrides[axis] = chunkStrides[axis + 1] * table.extents[axis + 1]
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    let run = inside[outer] * strides[outer]
    let isStored = dataset.isStored(as: Number.self)
    var position = Array(repeating: 0, count: outer)
    while true {
      var source = 0, start = offsets[outer] * strides[outer]
      for axis in 0..<outer {
        source += position[axis] * chunkStrides[axis]
        start += (offsets[axis] + position[axis]) * strides[axis]
      }
      let size = dataset.elementBytes
      let input = UnsafeRawBufferPointer(rebasing: bytes[(source * size)..<((source + run) * size)])
      let output = UnsafeMutableBufferPointer(rebasing: target[start..<(start + run)])
      if isStored {
        UnsafeMutableRawBufferPointer(output).copyMemory(from: input)
      } else {
        Conversion.convert(input, of: dataset.type, into: output)
      }
      guard let axis = (0..<outer).last(where: { position[$0] + 1 < inside[$0] }) else { return }
      position[axis] += 1
      for later in (axis + 1)..<outer { position[later] = 0 }
    }
  }
}
