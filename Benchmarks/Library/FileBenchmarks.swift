import Benchmark
import FlowIO
import Foundation

/// Writing and reading 16 MiB of floats: safetensors as a checkpoint has them, npy as a data set.
func addFileBenchmarks() {
  Benchmark("FlowIO: write safetensors, 16 MiB") { (benchmark, files: Files) in
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations { try files.tensors.write(to: files.written) }
  } setup: {
    try Files()
  }
  Benchmark("FlowIO: read safetensors, 16 MiB") { (benchmark, files: Files) in
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations {
      blackHole(try SafetensorsFile(path: files.safetensors).floats(named: Files.name))
    }
  } setup: {
    try Files()
  }
  Benchmark("FlowIO: write npy, 16 MiB") { (benchmark, files: Files) in
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations { try NumPyFile.write(files.array, to: files.written) }
  } setup: {
    try Files()
  }
  Benchmark("FlowIO: read npy, 16 MiB") { (benchmark, files: Files) in
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations { blackHole(try NumPyFile.read(files.npy).floats()) }
  } setup: {
    try Files()
  }
}

/// Files that hold what was written, in a folder that goes with them.
private final class Files {
  static let name = "net.0.weight"
  private static let shape = [4_096, 1_024]

  let tensors: SafetensorsFile
  let array: NumPyArray
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("cnf-\(UUID().uuidString)").path
  var safetensors: String { "\(folder)/tensors.safetensors" }
  var npy: String { "\(folder)/array.npy" }
  /// Where the benchmarks of writing write.
  var written: String { "\(folder)/written" }

  init() throws {
    let values = (0..<Self.shape[0] * Self.shape[1]).map { Float($0 % 1_000) * 0.001 }
    tensors = SafetensorsFile(tensors: [SafetensorsTensor(name: Self.name, shape: Self.shape, floats: values)])
    array = NumPyArray(shape: Self.shape, floats: values)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try tensors.write(to: safetensors)
    try NumPyFile.write(array, to: npy)
    let tensors = try SafetensorsFile(path: safetensors).floats(named: Self.name)
    precondition(tensors == values, "read other tensors than were written")
    let array = try NumPyFile.read(npy).floats()
    precondition(array == values, "read another array than was written")
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }
}
