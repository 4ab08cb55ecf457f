import ArgumentParser
import Foundation

/// Where the pictures of images go: each to a file of its own, none over an image.
struct PictureFiles {
  /// One an image.
  let paths: [String]

  /// - Parameter output: a folder, or for a single image a .png file.
  /// - Throws: `ValidationError` where a picture would overwrite one of the images.
  init(images: [String], output: String) throws {
    paths = images.count == 1 && output.hasSuffix(".png") ? [output] : Self.names(of: images).map { "\(output)/\($0).png" }
    let sources = Set(images.map(Self.resolved))
    if let clash = paths.first(where: { sources.contains(Self.resolved($0)) }) {
      throw ValidationError("the picture \(clash) would overwrite an image: name another --output")
    }
  }

  /// The images' names without folder and extension; the second `x` of `a/x.jpg b/x.jpg` becomes `x-2`.
  static func names(of images: [String]) -> [String] {
    let stems = images.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent }
    // No image called x-2 loses its name to the second x.
    var taken = Set(stems)
    var seen = Set<String>()
    return stems.map { stem in
      if seen.insert(stem).inserted { return stem }
      var number = 2
      while !taken.insert("\(stem)-\(number)").inserted { number += 1 }
      return "\(stem)-\(number)"
    }
  }

  private static func resolved(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
  }
}
