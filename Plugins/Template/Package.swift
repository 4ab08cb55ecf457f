// swift-tools-version: 6.0
import PackageDescription

// In a package of your own:
//   .package(url: "https://github.com/OWNER/sampling-free", exact: "X.Y.Z")
// A plugin fits only the build of the command that it was compiled for, hence `exact`; see README.md.
let samplingFree = Package.Dependency.package(name: "SamplingFree", path: "../..")
let core = Target.Dependency.product(name: "DetectionCore", package: "SamplingFree")

let package = Package(
  name: "StrategyTemplate",
  dependencies: [samplingFree],
  targets: [
    // The strategy: one file.
    .target(name: "AsymmetricFocus", dependencies: [core]),
    .testTarget(name: "AsymmetricFocusTests", dependencies: ["AsymmetricFocus", core]),

    // First way: a command of your own, with all of sampling-free's subcommands.
    .executableTarget(
      name: "my-sampling-free",
      dependencies: [
        "AsymmetricFocus", core,
        .product(name: "SamplingFree", package: "SamplingFree"),
        .product(name: "SamplingFreeCommand", package: "SamplingFree"),
      ]),

    // Second way: a dynamic library that sampling-free loads; linked by build-plugin.sh.
    .target(name: "AsymmetricFocusPlugin", dependencies: ["AsymmetricFocus", core]),
  ]
)
