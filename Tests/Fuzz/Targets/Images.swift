import CZlib
import Datasets
import DetectionCore
import Foundation

extension FuzzTarget {
  /// Chunks are changed and their checksums made good.
  static let png = FuzzTarget("png", seeds: { try imageGoldens("png") }, mutate: PNGFile.mutate, read: readImage)
  static let jpeg = FuzzTarget("jpeg", seeds: { try imageGoldens("jpeg") }, mutate: JPEGFile.mutate, read: readImage)

  private static func imageGoldens(_ kind: String) throws -> [[UInt8]] {
    struct Goldens: Decodable {
      struct File: Decodable { let file: Data }
      let files: [String: File]
    }
    let goldens = try JSONDecoder().decode(Goldens.self, from: Data(contents(of: "\(packageRoot)/Tests/Datasets/Goldens/images.json")))
    return goldens.files.sorted { $0.key < $1.key }.filter { $0.key.hasPrefix(kind) }.map { [UInt8]($0.value.file) }
  }

  /// As `detect` reads an image, and as training does, whose JPEG decoder may leave out pixels.
  private static func readImage(_ input: [UInt8], folder: String) throws {
    try write(input, to: "\(folder)/image")
    let image = try Image(contentsOf: "\(folder)/image")
    guard image.width > 0, image.height > 0, image.pixels.count == image.width * image.height * 3 else {
      throw UnfitError(message: "\(image.width) x \(image.height) with \(image.pixels.count) bytes")
    }
    let json = #"""
      {"images": [{"id": 1, "file_name": "image", "width": \#(image.width), "height": \#(image.height)}],
       "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, \#(max(2, image.width)), \#(max(2, image.height))]}], "categories": [{"id": 1, "name": "a"}]}
      """#
    try write(Array(json.utf8), to: "\(folder)/image.json")
    // An image that detection reads is one that training reads.
    do {
      let dataset = try COCODataset(annotations: "\(folder)/image.json", images: folder)
      let options = InputOptions(size: .fixed(width: 4, height: 4), interpolation: .antialiased)
      _ = try dataset.sample(at: 0, for: options)
    } catch { throw UnfitError(message: "detected in, but not trained on: \(error)") }
  }
}

/// A PNG file's chunks.
private struct PNGFile {
  struct Chunk {
    var type: [UInt8]
    var body: [UInt8]
  }

  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
  private static let types = [
    "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "sBIT", "bKGD", "hIST", "pHYs", "sPLT", "tIME", "tEXt", "zTXt",
    "iTXt", "eXIf", "acTL", "fcTL", "fdAT", "cICP", "zzZz",
  ].map { Array($0.utf8) }
  var chunks: [Chunk] = []

  /// - Returns: nil for what has no chunks.
  init?(_ bytes: [UInt8]) {
    guard bytes.starts(with: Self.signature) else { return nil }
    var position = 8
    while position + 12 <= bytes.count {
      let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - position - 12 else { break }
      chunks.append(Chunk(type: Array(bytes[position + 4..<position + 8]), body: Array(bytes[position + 8..<position + 8 + length])))
      position += length + 12
    }
    if chunks.isEmpty { return nil }
  }

  var bytes: [UInt8] {
    chunks.reduce(into: Self.signature) { bytes, chunk in
      bytes += bigEndian(UInt32(chunk.body.count))
      let covered = chunk.type + chunk.body
      bytes += covered + bigEndian(UInt32(truncatingIfNeeded: crc32(0, covered, UInt32(covered.count))))
    }
  }

  static func mutate(_ input: [UInt8], _ random: inout SeededGenerator, _ mutator: ByteMutator) -> [UInt8] {
    guard random.chance(9, in: 10), var file = PNGFile(input) else { return mutator(input, &random) }
    for _ in 0...random.index(below: 2) {
      let index = random.index(below: file.chunks.count)
      switch random.index(below: 10) {
      case 0...2: file.chunks[index].body = mutator(file.chunks[index].body, &random)
      case 3: file.changeHeader(&random)
      case 4, 5: file.changePixels(&random, mutator)
      case 6: file.chunks[index].type = random.pick(types)
      case 7:
        let body = random.chance(1, in: 2) ? file.chunks[index].body : (0..<random.index(below: 40)).map { _ in UInt8(random.index(below: 256)) }
        file.chunks.insert(Chunk(type: random.pick(types), body: body), at: random.index(below: file.chunks.count + 1))
      case 8: file.chunks.swapAt(index, random.index(below: file.chunks.count))
      default: if file.chunks.count > 1 { file.chunks.remove(at: index) }
      }
    }
    return file.bytes
  }

  private mutating func changeHeader(_ random: inout SeededGenerator) {
    guard chunks[0].body.count >= 13 else { return }
    switch random.index(below: 5) {
    case 0, 1:
      let side = bigEndian(random.pick([0, 1, 2, 7, 8, 9, 255, 4096, 70_000, 1_000_001, 0x7FFF_FFFF, 0x8000_0000, .max]))
      let start = 4 * random.index(below: 2)
      chunks[0].body.replaceSubrange(start..<start + 4, with: side)
    case 2: chunks[0].body[8] = random.pick([0, 1, 2, 3, 4, 8, 16, 32])
    case 3: chunks[0].body[9] = UInt8(random.index(below: 8))
    default: chunks[0].body[10 + random.index(below: 3)] = UInt8(random.index(below: 3))
    }
  }

  /// What the pixels' chunk holds, unpacked, changed and packed again.
  private mutating func changePixels(_ random: inout SeededGenerator, _ mutator: ByteMutator) {
    guard let index = chunks.firstIndex(where: { $0.type == Array("IDAT".utf8) }) else { return }
    var raw = [UInt8](repeating: 0, count: 1 << 16)
    var length = UInt(raw.count)
    guard uncompress(&raw, &length, chunks[index].body, UInt(chunks[index].body.count)) == Z_OK else { return }
    let changed = mutator(raw.prefix(Int(length)), &random)
    var packed = [UInt8](repeating: 0, count: changed.count + 1024)
    var packedLength = UInt(packed.count)
    guard compress(&packed, &packedLength, changed, UInt(changed.count)) == Z_OK else { return }
    chunks[index].body = Array(packed.prefix(Int(packedLength)))
  }
}

/// A JPEG file's segments; the last one holds all from the first scan's data on.
private enum JPEGFile {
  static func mutate(_ input: [UInt8], _ random: inout SeededGenerator, _ mutator: ByteMutator) -> [UInt8] {
    var (segments, rest) = segments(of: input)
    guard random.chance(3, in: 4), !segments.isEmpty else { return mutator(input, &random) }
    for _ in 0...random.index(below: 2) {
      let index = random.index(below: segments.count)
      switch random.index(below: 10) {
      case 0, 1: segments[index].body = mutator(segments[index].body, &random)
      case 2: rest = mutator(rest, &random)
      case 3: segments[index].marker = random.pick(markers)
      case 4: segments.insert((random.pick(markers), mutator(segments[index].body, &random)), at: index)
      case 5: segments.swapAt(index, random.index(below: segments.count))
      case 6: if segments.count > 1 { segments.remove(at: index) }
      case 7: rest += rest
      default:
        // Size, precision, components and their subsampling.
        guard let frame = segments.firstIndex(where: { 0xC0...0xC2 ~= $0.marker && $0.body.count >= 9 }) else { break }
        let start = random.pick([1, 3])
        let side = random.pick([0, 1, 8, 9, 255, 2000, 0x7FFF, 0xFFFF] as [UInt16])
        if random.chance(1, in: 2) {
          segments[frame].body[start] = UInt8(side >> 8)
          segments[frame].body[start + 1] = UInt8(side & 0xFF)
        } else {
          let byte = 5 + random.index(below: segments[frame].body.count - 5)
          segments[frame].body[byte] = random.pick([0, 1, 2, 3, 4, 0x11, 0x12, 0x21, 0x22, 0x41, 0x14, 0x44, 0xFF])
        }
      }
    }
    return segments.reduce(into: [0xFF, 0xD8]) { bytes, segment in
      let length = UInt16(truncatingIfNeeded: segment.body.count + 2)
      bytes += [0xFF, segment.marker, UInt8(length >> 8), UInt8(length & 0xFF)] + segment.body
    } + rest
  }

  private static let markers: [UInt8] = [
    0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC9, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE,
  ]

  private static func segments(of bytes: [UInt8]) -> (segments: [(marker: UInt8, body: [UInt8])], rest: [UInt8]) {
    var segments: [(marker: UInt8, body: [UInt8])] = []
    var position = 2
    while position + 4 <= bytes.count, bytes[position] == 0xFF, bytes[position + 1] >= 0xC0 {
      let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
      guard length >= 2, position + 2 + length <= bytes.count else { break }
      let marker = bytes[position + 1]
      segments.append((marker, Array(bytes[position + 4..<position + 2 + length])))
      position += 2 + length
      if marker == 0xDA { break }
    }
    return (segments, Array(bytes[min(position, bytes.count)...]))
  }
}

func bigEndian(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }
