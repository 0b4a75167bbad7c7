import ArgumentParser
import ContinuousFlows
import FlowIO

/// Data for a trained model.
struct DataSelection: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A name that cnf datasets lists, or a .npy or .csv file with one row per sample.", valueName: "name|file"))
  var data: String?

  @Option(parsing: .unconditional, help: "Number of samples of a generated set (default: 20000).")
  var count: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("Seed of a generated set (default: 0).", valueName: "number"))
  var dataSeed: UInt64?

  @Option(
    help: ArgumentHelp(
      "Whether the first line of a text file names the columns: auto, present or absent.", valueName: "word"))
  var header = CSVTable.HeaderRule.automatic

  /// The data with their context, which have to fit `model`; nil: none are named.
  ///
  /// - Parameters:
  ///   - context: of the flags; without them, labels or columns behind those of the samples are the context.
  ///   - prepared: changes the data first, such as taking off targets.
  func load(
    for model: any TrainableModel, context: ContextFlags? = nil, prepared: (Dataset) throws -> Dataset = { $0 }
  ) throws -> Dataset? {
    guard let data else {
      guard context?.isEmpty ?? true else {
        throw CommandFailure(
          .usage, "--class and --context need data named with --data: name data, or leave them out")
      }
      return nil
    }
    if let count, !(1..<1 << 32 ~= count) {
      throw CommandFailure(.usage, "count is \(count), must be at least 1 and below 2^32")
    }
    let source = try DatasetSource(data)
    let dataset = try withContext(
      prepared(
        source.loadIfItFits(count: count ?? DatasetSource.generatedCount, seed: dataSeed ?? 0, header: header)),
      for: model, context)
    for remark in dataset.remarks { Terminal.remark("cnf: \(remark)") }
    return dataset
  }

  private func withContext(
    _ dataset: Dataset, for model: any TrainableModel, _ context: ContextFlags?
  ) throws -> Dataset {
    let columns = model.contextDimension
    let contextKind = model.contextKind
    if context?.isEmpty ?? true, case .columns = contextKind, dataset.quantisation == nil,
      dataset.dimension == model.dimension + columns
    {
      return try dataset.conditionedOnLastColumns(columns)
    }
    guard dataset.dimension == model.dimension else {
      if context?.isEmpty ?? true, case .columns = contextKind {
        let (dimension, all) = (model.dimension, model.dimension + columns)
        throw CommandFailure(
          .badData,
          "\(dataset.name) has \(dataset.dimension) columns, but the model was trained on \(dimension) and \(columns) of "
            + "context: bring data with \(all) columns, the context last, or \(dimension) columns and --context FILE")
      }
      throw DataError.dimension(source: dataset.name, dimension: dataset.dimension, expected: model.dimension)
    }
    if context?.isEmpty ?? true, dataset.labels != nil, let classes = contextKind?.classCount {
      return try dataset.conditionedOnLabels(classes: classes)
    }
    guard let context else { return dataset }
    return dataset.conditioned(on: try context.load(for: model, count: dataset.count))
  }
}

extension CSVTable.HeaderRule: ExpressibleByArgument {}
