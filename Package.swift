// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6)]
/// For modules whose tests use internal names: one release build then serves the program and all tests.
let testable = strict + [.unsafeFlags(["-enable-testing"])]
let kernelFlags = ["-std=c11", "-O3", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror"]

let package = Package(
  name: "swift-cnf",
  products: [
    .library(name: "ContinuousFlows", targets: ["ContinuousFlows"]),
    .library(name: "NeuralODE", targets: ["NeuralODE"]),
    .library(name: "FlowIO", targets: ["FlowIO"]),
    .library(name: "CNFKernels", targets: ["CNFKernels"]),
    .executable(name: "cnf", targets: ["cnf"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C
    .target(
      name: "CNFKernels", path: "CSources/CNFKernels", exclude: ["README.md", "CMakeLists.txt", "cmake"],
      publicHeadersPath: "include",
      cSettings: [.unsafeFlags(kernelFlags), .headerSearchPath(".")],
      linkerSettings: [.linkedLibrary("pthread"), .linkedLibrary("m")]),
    .systemLibrary(name: "COpenBLAS", path: "CSources/COpenBLAS", pkgConfig: "openblas"),
    .systemLibrary(name: "CCairo", path: "CSources/CCairo", pkgConfig: "cairo"),
    // Modules
    .target(name: "CLibrary", swiftSettings: strict),
    .target(name: "FieldPrograms", dependencies: ["CLibrary"], swiftSettings: strict),
    .target(
      name: "KernelBridge", dependencies: ["CNFKernels", "COpenBLAS", "CLibrary", "FieldPrograms"],
      swiftSettings: strict),
    .target(name: "PureSwift", dependencies: ["CLibrary", "FieldPrograms"], swiftSettings: strict),
    .target(
      name: "NeuralODE", dependencies: ["CLibrary", "KernelBridge", "PureSwift", "FieldPrograms"],
      swiftSettings: strict),
    .target(name: "FlowIO", dependencies: ["CLibrary"], swiftSettings: strict),
    .target(name: "FlowPlots", dependencies: ["CCairo", "CLibrary"], swiftSettings: testable),
    .target(
      name: "ContinuousFlows", dependencies: ["CLibrary", "NeuralODE", "FlowIO"],
      resources: [.copy("Data/Resources")], swiftSettings: testable),
    // The benchmarks of `cnf bench`: training steps, backends, traces
    .target(name: "FlowBenchmarks", dependencies: ["CLibrary", "NeuralODE"], swiftSettings: testable),
    // Problems with known solutions, and the program that measures solvers on them
    .target(
      name: "TestProblems", dependencies: ["NeuralODE"], resources: [.copy("Resources/references.json")],
      swiftSettings: strict),
    .executableTarget(
      name: "bench-solvers",
      dependencies: [
        "TestProblems", "FlowPlots", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    // Programs that compare models and ways of training
    .executableTarget(
      name: "bench-structures",
      dependencies: [
        "ContinuousFlows", "FlowPlots", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    .executableTarget(
      name: "bench-objectives",
      dependencies: [
        "ContinuousFlows", "FlowPlots", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    // Tool
    .executableTarget(
      name: "cnf",
      dependencies: [
        "CLibrary", "ContinuousFlows", "FlowBenchmarks", "FlowIO", "FlowPlots", "Yams",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    // Examples of the library, one file each
    .executableTarget(
      name: "cnf-examples", dependencies: ["ContinuousFlows"], path: "Examples/swift", swiftSettings: strict),
    // Tests
    .testTarget(name: "KernelTests", dependencies: ["KernelBridge", "NeuralODE", "PureSwift"], swiftSettings: strict),
    .testTarget(name: "TestProblemsTests", dependencies: ["TestProblems"], swiftSettings: strict),
    .testTarget(name: "PureSwiftTests", dependencies: ["CLibrary", "PureSwift"], swiftSettings: strict),
    .testTarget(name: "NeuralODETests", dependencies: ["CLibrary", "NeuralODE", "PureSwift"], swiftSettings: strict),
    .testTarget(name: "FlowIOTests", dependencies: ["FlowIO"], exclude: ["Golden"], swiftSettings: strict),
    .testTarget(name: "FlowPlotsTests", dependencies: ["FlowPlots"], swiftSettings: strict),
    .testTarget(name: "ContinuousFlowsTests", dependencies: ["ContinuousFlows"], swiftSettings: strict),
    .testTarget(name: "FlowBenchmarksTests", dependencies: ["FlowBenchmarks"], swiftSettings: strict),
    .testTarget(name: "ExampleTests", dependencies: ["cnf-examples"], swiftSettings: strict),
    .testTarget(name: "CommandTests", dependencies: ["cnf", "FlowIO"], swiftSettings: strict),
  ]
)
