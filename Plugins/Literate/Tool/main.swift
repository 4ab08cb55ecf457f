import Foundation
import LiterateCore

/// `LiterateTool <package directory> <chapter, relative to it> <Swift file to write>`, as the Literate plugin calls
/// it. Mistakes go to standard error in the compiler's form, with exit status 1.
let arguments = CommandLine.arguments.dropFirst()
guard arguments.count == 3, let package = arguments.first, let output = arguments.last else {
  FileHandle.standardError.write(
    Data("usage: LiterateTool <package directory> <chapter> <Swift file to write>\n".utf8))
  exit(2)
}
let file = arguments[arguments.startIndex + 1]

do {
  let path = URL(fileURLWithPath: file, relativeTo: URL(fileURLWithPath: package, isDirectory: true))
  let markdown = try String(contentsOf: path, encoding: .utf8)
  let chapter = try Chapter(markdown: markdown, file: file)
  let source = try ChapterGenerator(packageDirectory: package).source(for: chapter)
  try Data(source.utf8).write(to: URL(fileURLWithPath: output))
} catch let errors as ChapterErrors {
  FileHandle.standardError.write(Data("\(errors)\n".utf8))
  exit(1)
} catch {
  FileHandle.standardError.write(Data("\(file): error: \(error.localizedDescription)\n".utf8))
  exit(1)
}
