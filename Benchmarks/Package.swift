// swift-tools-version: 6.3
import PackageDescription

// Benchmarks of the Swift modules, run by `make bench-library`. They are a package of their own, so that packages that
// depend on swift-cnf do not build the benchmark library. That library needs Swift 6.3, and finds a target by the name
// of its parent folder, Benchmarks. The folder c has its own build.
let package = Package(
  name: "Benchmarks",
  dependencies: [
    .package(name: "swift-cnf", path: ".."),
    // Without traits: its counts of allocations need libraries of their own.
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    .executableTarget(
      name: "LibraryBenchmarks",
      dependencies: [
        .product(name: "Benchmark", package: "benchmark"),
        .product(name: "ContinuousFlows", package: "swift-cnf"),
        .product(name: "FlowIO", package: "swift-cnf"),
      ],
      path: "Library", swiftSettings: [.swiftLanguageMode(.v6)],
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
  ]
)
