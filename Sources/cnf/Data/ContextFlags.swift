import ArgumentParser
import ContinuousFlows

/// The context c of p(x|c), for a conditional flow.
struct ContextFlags: ParsableArguments {
  @Option(
    name: .customLong("class"), parsing: .unconditional,
    help: ArgumentHelp("Class of all samples, for a flow conditioned on classes.", valueName: "number"))
  var label: Int?

  @Option(
    help: ArgumentHelp(
      "A .npy or .csv file of contexts for a conditional flow: one row for each sample or one for all, in the units of the "
        + "data (for classes, one column per class).", valueName: "file"))
  var context: String?

  var isEmpty: Bool { label == nil && context == nil }

  /// The context of `count` samples, `[count][C]`; nil: the model is not conditional, and no flag is given.
  func load(for model: any TrainableModel, count: Int) throws -> SampleMatrix? {
    let columns = model.contextDimension
    guard columns > 0 else {
      guard isEmpty else {
        throw CommandFailure(
          .usage,
          "--\(label == nil ? "context" : "class") is for a conditional flow, and this model is not one: leave it out"
        )
      }
      return nil
    }
    guard label == nil || context == nil else {
      throw CommandFailure(.usage, "--class and --context exclude each other: give one of them")
    }
    let classes = model.contextKind?.classCount
    if let label {
      guard let classes else {
        throw CommandFailure(
          .usage,
          "--class is for a flow conditioned on classes, and this one is conditioned on \(columns) columns: give --context"
        )
      }
      guard 0..<classes ~= label else {
        throw CommandFailure(.usage, "--class is \(label), must be from 0 to \(classes - 1)")
      }
      return SampleMatrix(oneHot: Array(repeating: label, count: count), classes: classes)
    }
    guard let context else { throw Self.missing(classes: classes, columns: columns) }
    let rows = try Self.read(context, columns: columns, count: count)
    if let row = model.contextKind?.firstMisfit(in: rows) {
      throw TrainingError.contextNotAClass(data: context, row: row)
    }
    return rows
  }

  /// The failure of a conditional flow without a context.
  static func missing(classes: Int?, columns: Int) -> CommandFailure {
    CommandFailure(
      .usage,
      classes.map {
        "this flow is conditioned on classes: give one with --class 0 to \($0 - 1), or contexts with --context FILE"
      }
        ?? "this flow is conditioned on \(columns) columns: give them with --context FILE")
  }

  private static func read(_ path: String, columns: Int, count: Int) throws -> SampleMatrix {
    let file = try Dataset(contentsOf: path)
    guard file.dimension == columns else {
      throw CommandFailure(
        .badData,
        "\(path) has \(file.dimension) columns, but the flow is conditioned on \(columns): bring a file with \(columns) columns"
      )
    }
    guard file.count == count || file.count == 1 else {
      throw CommandFailure(
        .badData, "\(path) has \(file.count) rows for \(count) samples: give \(count) rows, or one for all samples")
    }
    return file.count == count ? file.samples : file.samples.rows(repeatElement(0, count: count))
  }
}
