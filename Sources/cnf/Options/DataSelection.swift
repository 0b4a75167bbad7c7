import ArgumentParser
import ContinuousFlows

/// Data to ask a trained flow about.
struct DataSelection: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A name that cnf datasets lists, or a .npy or .csv file of one row per sample.", valueName: "name|file"))
  var data: String?

  @Option(parsing: .unconditional, help: "Samples of a generated set (default 20000).")
  var count: Int?

  @Option(parsing: .unconditional, help: "Seed of a generated set (default 0).")
  var dataSeed: UInt64?

  /// The data, which have to fit `model`; nil where none are named.
  func load(for model: some TrainableModel) throws -> Dataset? {
    guard let data else { return nil }
    if let count, !(1..<1 << 32 ~= count) {
      throw CommandFailure(.usage, "count is \(count), must be at least 1 and below 2^32")
    }
    let source = try DatasetSource(data)
    let dataset = try source.load(count: count ?? DatasetSource.generatedCount, seed: dataSeed ?? 0)
    guard dataset.dimension == model.dimension else {
      throw DataError.dimension(source: dataset.name, dimension: dataset.dimension, expected: model.dimension)
    }
    return dataset
  }
}
