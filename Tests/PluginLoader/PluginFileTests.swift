import DetectionCore
import Foundation
import PluginLoader
import Testing

/// What is refused before any code of the file runs.
@Suite struct PluginFileTests {
  let workshop: Workshop

  init() throws { workshop = try Workshop() }

  private func refusal(_ path: String) -> String {
    var registry = StrategyRegistry()
    do {
      try registry.load(plugins: [path])
      return "loaded"
    } catch {
      return error.description
    }
  }

  @Test func aMissingFileIsNamedWithTheNearestThatIsThere() throws {
    _ = try workshop.write(Data(), to: "libMargin.so")
    #expect(refusal(workshop.path("libMargni.so")).hasSuffix("libMargni.so does not exist; did you mean \"libMargin.so\"?"))
    #expect(refusal("/no/such/folder/libX.so") == "plugin /no/such/folder/libX.so does not exist, nor does its folder")
  }

  @Test func aFolderIsNoPlugin() {
    #expect(refusal(workshop.folder.path).hasSuffix("is a folder"))
  }

  @Test(arguments: ["", "sampler: focal\n", "\u{7F}ELF"]) func aFileOfAnotherKindIsNoPlugin(text: String) throws {
    #expect(refusal(try workshop.write(Data(text.utf8), to: "libX.so")).hasSuffix("is no shared library (not an ELF file)"))
  }

  @Test func anObjectFileIsNoPlugin() throws {
    let object = Workshop.products.appendingPathComponent("PluginFixture.build/FixtureStrategies.swift.o").path
    #expect(refusal(object).contains("is an object file, not a shared library"))
  }

  @Test func aLibraryOfAnotherMachineIsNamed() throws {
    var data = try Workshop.fixture()
    #if arch(x86_64)
      data[18] = 183
      #expect(refusal(try workshop.write(data, to: "libX.so")).hasSuffix("is built for AArch64, this program for x86-64"))
    #else
      data[18] = 62
      #expect(refusal(try workshop.write(data, to: "libX.so")).hasSuffix("is built for x86-64, this program for AArch64"))
    #endif
  }

  @Test func aLibraryCutShortIsNotHandedToTheDynamicLinker() throws {
    let data = try Workshop.fixture()
    for length in [64, 100, 1000, 4096, data.count / 4] {
      let refusal = refusal(try workshop.write(data.prefix(length), to: "libX.so"))
      #expect(refusal.contains("is damaged"), "\(length) bytes: \(refusal)")
    }
  }

  @Test func aLibraryThatIsNoPluginIsRefused() throws {
    try Data("int answer(void) { return 42; }".utf8).write(to: URL(fileURLWithPath: workshop.path("x.c")))
    let compiled = try workshop.run("/usr/bin/env", ["clang", "-shared", "-fPIC", "-o", "libX.so", "x.c"])
    try #require(compiled.status == 0, "\(compiled.error)")
    #expect(refusal(workshop.path("libX.so")).contains("is a shared library but no strategy plugin"))
  }

  @Test func aPluginOfAnotherBuildIsToldFromOursByABICompilerAndSources() throws {
    let data = try Workshop.fixture()
    let stamp = PluginStamp.host.description
    let parts = stamp.split(separator: ", ").map(String.init)
    try #require(parts.count == 3)
    let strangers = ["ABI 9", String(parts[1].dropLast()) + "~", "DetectionCore 0000000000000000"]
    for (ours, its) in zip(parts, strangers) {
      let patched = try data.patched(PluginStamp.prefix + stamp, PluginStamp.prefix + stamp.replacingOccurrences(of: ours, with: its))
      let refusal = refusal(try workshop.write(patched, to: "libX.so"))
      #expect(refusal.contains("was built for \(its), this program for \(ours): rebuild it"), "\(refusal)")
    }
  }

  @Test func theStampNamesCompilerAndSources() {
    #expect(PluginStamp.host.description.wholeMatch(of: /ABI 1, Swift \d+\.\d+\.\d+, DetectionCore [0-9a-f]{16}/) != nil)
  }
}
