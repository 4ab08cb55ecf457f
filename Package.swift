// swift-tools-version: 6.0
import PackageDescription

#if !os(Linux)
#error("SamplingFree builds on Linux only, in a container for instance: README.md, \"Start\", says on which")
#endif

/// One strategy kind, one target: a strategy imports DetectionCore alone.
func strategies(_ name: String) -> Target {
  .target(name: name, dependencies: ["DetectionCore"], path: "Plugins/\(name)")
}

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.target(name: name), "TestSupport"] + dependencies,
    path: "Tests/\(name)", resources: resources)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let strategyTargets: [Target.Dependency] = ["Samplers", "RegressionLosses", "LossScalers", "Thresholders", "BiasInitializers"]

/// What `import SamplingFree` brings along. Targets that use these by way of it name them too: the build looks at direct
/// dependencies only to decide what to compile again.
let umbrella: [Target.Dependency] =
  [
    "Training", "Detectors", "NeuralNetwork", "DetectionCore", "Weights", "HDF5", "Datasets", "Drawing", "Evaluation",
    "Comparison", "Configuration", "PluginLoader",
  ] + strategyTargets

let package = Package(
  name: "SamplingFree",
  products: [
    .library(name: "SamplingFree", targets: ["SamplingFree"]),
    .library(name: "DetectionCore", targets: ["DetectionCore"]),
    .library(name: "SamplingFreeCommand", targets: ["SamplingFreeCommand"]),
    .executable(name: "sampling-free", targets: ["sampling-free"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    // C libraries: module maps and inline functions over what Swift does not import or versions differ in.
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
    .systemLibrary(name: "CImageCodecs", pkgConfig: "libpng libjpeg cairo", providers: [.apt(["libpng-dev", "libjpeg-dev", "libcairo2-dev"])]),
    .systemLibrary(name: "COpenMP"),
    .systemLibrary(name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(name: "CSwiftVersion"),
    .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // The core, downwards only.
    module("Suggestions"),
    module("Files"),
    module("Parallel", ["COpenMP"]),
    .target(name: "CDetectionKernels"),
    .target(
      name: "DetectionCore", dependencies: ["Parallel", "Suggestions", "CDetectionKernels"], plugins: ["PluginStamp"]),
    module("NeuralNetwork", ["COneDNN", "Parallel"]),
    .target(name: "CHDF5Catalogue", dependencies: ["CHDF5"]),
    module("HDF5", ["CHDF5", "CHDF5Catalogue", "CZlib", "Files", "Parallel", "Suggestions"]),
    module("Detectors", ["NeuralNetwork", "DetectionCore", "Parallel", "Suggestions"]),
    .target(name: "CImageFiles", dependencies: ["CImageCodecs"]),
    .target(
      name: "Datasets", dependencies: ["DetectionCore", "CImageCodecs", "CImageFiles", "CZlib", "Files", "Parallel", "Suggestions"],
      resources: [.copy("Resources")]),
    module("Drawing", ["CImageCodecs", "Datasets", "DetectionCore"]),
    module("Evaluation", ["Parallel"]),
    module("PluginLoader", ["DetectionCore", "Files", "Suggestions"]),
    module("Configuration", ["DetectionCore", "Files", "Suggestions", yams]),
    module("Weights", ["HDF5", "NeuralNetwork", "DetectionCore", "Detectors", "Configuration", "CZip", "Files", "Parallel", "Suggestions"]),

    // Strategies: one file each.
    strategies("Samplers"),
    strategies("RegressionLosses"),
    strategies("LossScalers"),
    strategies("Thresholders"),
    strategies("BiasInitializers"),

    // Putting it to use.
    module(
      "Training",
      ["Detectors", "NeuralNetwork", "DetectionCore", "Weights", "Datasets", "Evaluation", "Configuration", "Files", "Parallel", "Suggestions"]),
    module("MessagePassing", ["COpenMPI", "Training", "DetectionCore"]),
    module(
      "Comparison",
      ["Training", "Configuration", "Datasets", "DetectionCore", "Drawing", "Evaluation", "Files"]),
    module("SamplingFree", umbrella),
    module("SamplingFreeCommand", ["SamplingFree", "MessagePassing", "Files", argumentParser] + umbrella),
    // Its symbols are exported, so that strategy plugins find DetectionCore in it.
    .executableTarget(
      name: "sampling-free", dependencies: ["SamplingFreeCommand"],
      linkerSettings: [.unsafeFlags(["-Xlinker", "--export-dynamic"], .when(platforms: [.linux]))]),
    .executableTarget(name: "bench", dependencies: ["SamplingFree", "MessagePassing", "Parallel", argumentParser] + umbrella),

    // What host and strategy plugin recognise one another by.
    .executableTarget(name: "PluginStampTool", dependencies: ["CSwiftVersion"], path: "Plugins/PluginStamp/Tool"),
    .plugin(
      name: "PluginStamp", capability: .buildTool(), dependencies: ["PluginStampTool"],
      path: "Plugins/PluginStamp/Plugin"),

    // Chapters as tests.
    .target(name: "LiterateCore", dependencies: ["Suggestions"], path: "Plugins/Literate/Core"),
    .executableTarget(name: "LiterateTool", dependencies: ["LiterateCore"], path: "Plugins/Literate/Tool"),
    .plugin(
      name: "Literate", capability: .buildTool(), dependencies: ["LiterateTool"], path: "Plugins/Literate/Plugin"),
    .target(name: "LiterateSupport", path: "Plugins/Literate/Support"),

    .target(name: "TestSupport", dependencies: ["Parallel"], path: "Tests/Support"),
    tests("DetectionCore", ["CDetectionKernels", "Parallel"], resources: [.copy("Goldens")]),
    tests("NeuralNetwork", [], resources: [.copy("Goldens")]),
    tests("Files", []),
    tests("HDF5", [], resources: [.copy("Goldens")]),
    tests("Detectors", ["DetectionCore", "NeuralNetwork"], resources: [.copy("Goldens")]),
    tests(
      "Weights",
      ["SamplingFree", "Training", "Detectors", "NeuralNetwork", "DetectionCore", "HDF5", "Datasets", "Configuration", "CZlib"],
      resources: [.copy("Goldens")]),
    tests("Datasets", ["DetectionCore", "Parallel"], resources: [.copy("Goldens")]),
    tests("Drawing", ["Datasets", "DetectionCore"]),
    tests("Evaluation", [], resources: [.copy("Goldens")]),
    tests("Configuration", ["DetectionCore"]),
    .testTarget(name: "ComparisonTests", dependencies: ["SamplingFree", "Files", "TestSupport"] + umbrella, path: "Tests/Comparison"),
    .target(name: "PluginFixture", dependencies: ["DetectionCore"], path: "Tests/PluginFixture"),
    .testTarget(
      name: "PluginLoaderTests", dependencies: ["PluginFixture", "SamplingFree", "TestSupport", "sampling-free"] + umbrella,
      path: "Tests/PluginLoader"),
    tests(
      "Samplers", ["DetectionCore", "RegressionLosses", "LossScalers", "Thresholders", "BiasInitializers"],
      resources: [.copy("Goldens")]),
    tests("Training", ["SamplingFree", "Files"] + umbrella.dropFirst(), resources: [.copy("Goldens")]),
    .testTarget(
      name: "CommandTests", dependencies: ["sampling-free", "SamplingFree", "TestSupport"] + umbrella, path: "Tests/Command"),
    .target(
      name: "FuzzTargets", dependencies: ["SamplingFree", "TestSupport", "CZlib", yams] + umbrella, path: "Tests/Fuzz/Targets"),
    .testTarget(
      name: "FuzzTests", dependencies: ["FuzzTargets", "DetectionCore", "TestSupport"], path: "Tests/Fuzz/Tests"),
    .testTarget(name: "SoakTests", dependencies: ["bench"], path: "Tests/Soak"),
    .testTarget(
      name: "LiterateTests", dependencies: ["LiterateCore", "LiterateSupport", "TestSupport"], path: "Tests/Literate"),
    .testTarget(
      name: "ChaptersTests", dependencies: ["SamplingFree", "LiterateSupport"] + umbrella, path: "Tests/Chapters",
      plugins: ["Literate"]),
  ]
)

// libFuzzer brings the main function, so an ordinary build has none for this one: scripts/proof/fuzz.sh.
if Context.environment["FUZZ_TARGET"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz", dependencies: ["FuzzTargets", "DetectionCore"], path: "Tests/Fuzz/Driver",
      swiftSettings: [.unsafeFlags(["-parse-as-library"])]))
}
