import DetectionCore
import Datasets
import DetectionCore
import Foundation
import TestSupport
import Testing

@Suite struct ImageDecodingTests {
  @Test(arguments: try ImageGoldens.allFiles())
  func everyKindOfFileDecodesAsPillowDoes(name: String, golden: ImageGoldens.File) throws {
    let image = try Image(decoding: golden.bytes, name: name)
    let expected = Image(width: golden.width, height: golden.height, pixels: [UInt8](golden.pixels))
    let difference = try #require(largestDifference(image, expected), "\(name): \(image.width) x \(image.height)")
    #expect(difference <= golden.tolerance, "\(name)")
  }

  /// Cut anywhere, a file is an error, never a crash and never half a picture.
  @Test(arguments: try ImageGoldens.allFiles())
  func filesCutShortAreErrors(name: String, golden: ImageGoldens.File) {
    let bytes = golden.bytes
    let end = name.contains("after its end") ? bytes.count - 8 : bytes.count
    for length in 0..<(end - 2) {  // without JPEG's end marker the picture is whole
      #expect(throws: ImageError.self) { try Image(decoding: Array(bytes.prefix(length)), name: "cut") }
    }
  }

  @Test(arguments: try ImageGoldens.allFiles())
  func damagedFilesDecodeOrAreErrors(name: String, golden: ImageGoldens.File) {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<200 {
      var bytes = golden.bytes
      for _ in 0...Int(generator.next() % 4) { bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next()) }
      do {
        let image = try Image(decoding: bytes, name: "damaged")
        #expect(image.pixels.count == image.width * image.height * 3)
      } catch { #expect(error is ImageError, "\(error)") }
    }
  }

  @Test func enormousSizesAreRefusedBeforeMemoryIsTaken() throws {
    let files = try ImageGoldens.load().files
    var png = try #require(files["png rgb"]).bytes
    png.replaceSubrange(16..<24, with: [0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60])  // 60000 x 60000; the checksum comes after
    png.replaceSubrange(29..<33, with: crc32(png[12..<29]))
    #expect(throws: ImageError.tooLarge(file: "x", width: 60000, height: 60000)) { try Image(decoding: png, name: "x") }
    var jpeg = try #require(files["jpeg"]).bytes
    let frame = try #require(jpeg.indices.dropLast().first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
    jpeg.replaceSubrange((frame + 5)..<(frame + 9), with: [0xFF, 0x00, 0xFF, 0x00])
    #expect(throws: ImageError.tooLarge(file: "x", width: 65280, height: 65280)) { try Image(decoding: jpeg, name: "x") }
  }

  private func crc32(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return (0..<4).map { UInt8(truncatingIfNeeded: ~crc >> UInt32(24 - 8 * $0)) }
  }

  @Test(arguments: [
    ("GIF89a and so on", "a GIF image: convert it"), ("", "it is empty"), ("RIFF\u{10}\u{0}\u{0}\u{0}WEBPVP8 ", "a WebP image: convert it"),
    ("BM6\u{0}\u{0}", "a BMP image"), ("II*\u{0}\u{8}\u{0}\u{0}\u{0}", "a TIFF image"), ("MM\u{0}*", "a TIFF image"),
    ("\u{0}\u{0}\u{0} ftypavif", "an AVIF image"), ("\u{0}\u{0}\u{0}\u{18}ftypheic", "a HEIC image"),
    ("\u{0}\u{0}\u{0}\u{18}ftypisom", "a video"), ("<?xml version=\"1.0\"?>\n<svg xmlns=", "an SVG drawing"),
    ("<!DOCTYPE html>\n<html>", "an HTML page, as a failed download leaves"), ("  <html><head>", "an HTML page"),
    ("version https://git-lfs.github.com/spec/v1\noid sha256:", "a Git LFS pointer"), ("{\"error\": 404}", "a JSON text"),
    ("%PDF-1.7", "a PDF document"), ("PK\u{3}\u{4}", "a ZIP archive"), ("8BPS", "a Photoshop file"),
    ("Not Found", "a text that begins with \"Not Found\""), ("\u{0}\u{0}\u{0}\u{0}", "it starts with zeros"),
    ("\u{1}\u{2}\u{7F}", "it starts with the bytes 01 02 7f"),
  ])
  func otherFilesAreNamed(text: String, what: String) throws {
    let error = try thrown(ImageError.self) { try Image(decoding: Array(text.utf8), name: "x.jpg") }
    #expect(error.description.hasPrefix("x.jpg: neither a JPEG nor a PNG image: "))
    #expect(error.description.contains(what), "\(error)")
  }

  @Test func whatIsNoOrdinaryFileIsNamedAtOnce() throws {
    let folder = try TemporaryFolder()
    #expect(mkfifo(folder.path("pipe.jpg"), 0o600) == 0)
    func message(_ path: String) -> String {
      do { return "\(try Image(contentsOf: path).width)" } catch { return "\(error)" }
    }
    #expect(message(folder.path("none.jpg")).hasSuffix("none.jpg: cannot be read: No such file or directory"))
    #expect(message(folder.path("pipe.jpg")).hasSuffix("pipe.jpg: cannot be read: is a FIFO, not an ordinary file"))
    #expect(message("/dev/zero").hasSuffix("cannot be read: is a device, not an ordinary file"))
    #expect(message(folder.url.path).hasSuffix("cannot be read: is a folder, not an ordinary file"))
  }

  /// The content decides, not the name.
  @Test func namesDoNotMatter() throws {
    let folder = try TemporaryFolder()
    let golden = try #require(ImageGoldens.load().files["png rgb"])
    try golden.file.write(to: folder.url.appendingPathComponent("photo.jpg"))
    #expect(try Image(contentsOf: folder.path("photo.jpg")).pixels == [UInt8](golden.pixels))
  }
}

@Suite struct ImageWritingTests {
  private func noise(_ width: Int, _ height: Int) -> Image {
    var generator = SeededGenerator(seed: 5)
    return Image(width: width, height: height, pixels: (0..<(width * height * 3)).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
  }

  @Test(arguments: [(1, 1), (5, 3), (200, 130)])
  func pngIsExact(width: Int, height: Int) throws {
    let folder = try TemporaryFolder()
    let image = noise(width, height)
    try image.writePNG(to: folder.path("a.png"))
    #expect(try Image(contentsOf: folder.path("a.png")) == image)
    #expect(try image.pngData() == image.pngData())
  }

  @Test func jpegIsNear() throws {
    let folder = try TemporaryFolder()
    let image = try #require(ImageGoldens.load().files["jpeg"].map { Image(width: $0.width, height: $0.height, pixels: [UInt8]($0.pixels)) })
    try image.writeJPEG(to: folder.path("a.jpg"), quality: 95)
    let read = try Image(contentsOf: folder.path("a.jpg"))
    #expect(try #require(largestDifference(read, image)) <= 6)
  }

  @Test func whatCannotBeWrittenIsAnErrorWithTheFilesName() throws {
    let folder = try TemporaryFolder()
    let missing = folder.path("no/such/folder.png")
    func message(_ body: () throws -> Void) -> String { do { try body(); return "" } catch { return "\(error)" } }
    #expect(message { try noise(2, 2).writePNG(to: missing) }.hasPrefix("\(missing): cannot be written: "))
    #expect(message { try noise(2, 2).writeJPEG(to: missing) }.hasSuffix("No such file or directory"))
    #expect(message { try Image(width: 0, height: 0).writePNG(to: folder.path("a.png")) }.hasPrefix("\(folder.path("a.png")): cannot be written"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
  }
}
