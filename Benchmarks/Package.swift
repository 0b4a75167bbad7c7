// swift-tools-version: 6.3
import PackageDescription

// Benchmarks of the Swift modules, apart from the package so that nobody who depends on it builds the benchmark library.
// Run by `make bench-library`. c/ beside it has its own build. The benchmark library wants Swift 6.3, and finds a target by its
// parent folder's name, Benchmarks.
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
