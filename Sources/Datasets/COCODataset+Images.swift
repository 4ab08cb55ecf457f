import Parallel

extension COCODataset {
  /// Finds the images' files, and holds all of their headers against the annotations.
  static func paths(of images: [COCOFile.ImageEntry], in folder: ImageFolder, _ problems: inout Problems) throws -> [String] {
    var found = [Result<String, any Error>](repeating: .success(""), count: images.count)
    found.withUnsafeMutableBufferPointer { found in
      nonisolated(unsafe) let found = found
      Parallel.forChunks(of: images.count) { _, range in
        for index in range {
          found[index] = Result {
            let path = try folder.path(of: images[index].fileName)
            try check(ImageHeader(contentsOf: path), of: path, against: images[index])
            return path
          }
        }
      }
    }
    for (image, result) in zip(images, found) {
      guard case .failure(let error) = result else { continue }
      guard let missing = error as? ImageFolder.Missing else { throw problems.error(of: image, "\(error)") }
      let count = found.count { if case .failure(is ImageFolder.Missing) = $0 { true } else { false } }
      let others = count > 1 ? "; \(count) of \(images.count) images are missing" : ""
      throw problems.error(of: image, "\(missing)\(folder.hint(for: image.fileName))\(others)")
    }
    let paths = try found.map { try $0.get() }
    problems.note("of \(paths.count) images repeat the file of another", count: paths.count - Set(paths).count)
    return paths
  }

  private static func check(_ header: ImageHeader, of path: String, against image: COCOFile.ImageEntry) throws {
    let size = header.uprightSize
    if size == (image.width, image.height) { return }
    let isTurned = header.orientation.swapsSides && (header.width, header.height) == (image.width, image.height)
    throw ImageFolder.Unusable(
      "its size is given as \(image.width) x \(image.height), but \(path) has \(size.width) x \(size.height) pixels, EXIF orientation applied"
        + (isTurned ? ": the size given is the one before, and so may be the boxes" : ""))
  }
}
