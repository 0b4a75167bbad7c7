import ArgumentParser
import ContinuousFlows

/// What a conditional flow is asked about: the c of p(x|c).
struct ContextFlags: ParsableArguments {
  @Option(
    name: .customLong("class"), parsing: .unconditional,
    help: ArgumentHelp("Of a flow conditioned on classes: the class of all samples.", valueName: "number"))
  var label: Int?

  @Option(
    help: ArgumentHelp(
      "Of a conditional flow: a .npy or .csv file of what is known of the samples, one row for each or one for all, in the "
        + "data's units (for classes, a column for each class).", valueName: "file"))
  var context: String?

  var isEmpty: Bool { label == nil && context == nil }

  /// The context of `count` samples, `[count][C]`; nil where none is given to a model that wants none.
  func load(for model: any TrainableModel, count: Int) throws -> SampleMatrix? {
    let columns = model.contextDimension
    guard columns > 0 else {
      guard isEmpty else {
        throw CommandFailure(
          .usage, "--\(label == nil ? "context" : "class") is for a conditional flow, and this one is not: leave it out"
        )
      }
      return nil
    }
    guard label == nil || context == nil else {
      throw CommandFailure(.usage, "--class and --context exclude each other: give one of them")
    }
    let classes = (model as? any RunModel)?.continuousFlow?.condition?.classCount
    if let label {
      guard let classes else {
        throw CommandFailure(
          .usage, "--class is for a flow conditioned on classes, and this one is on \(columns) columns: give --context")
      }
      guard 0..<classes ~= label else {
        throw CommandFailure(.usage, "--class is \(label), must be from 0 to \(classes - 1)")
      }
      return SampleMatrix(oneHot: Array(repeating: label, count: count), classes: classes)
    }
    guard let context else { throw Self.missing(classes: classes, columns: columns) }
    return try Self.read(context, columns: columns, count: count)
  }

  /// What to say where a conditional flow is asked without its context.
  static func missing(classes: Int?, columns: Int) -> CommandFailure {
    CommandFailure(
      .usage,
      classes.map { "this flow is conditioned on classes: say which with --class 0 to \($0 - 1), or --context FILE" }
        ?? "this flow is conditioned on \(columns) columns: give them with --context FILE")
  }

  private static func read(_ path: String, columns: Int, count: Int) throws -> SampleMatrix {
    let file = try Dataset(contentsOf: path)
    try file.validate()
    guard file.dimension == columns else {
      throw CommandFailure(
        .badData,
        "\(path) has \(file.dimension) columns, but the flow is conditioned on \(columns): bring a context of as many")
    }
    guard file.count == count || file.count == 1 else {
      throw CommandFailure(
        .badData, "\(path) has \(file.count) rows for \(count) samples: give as many, or one for all of them")
    }
    return file.count == count ? file.points : file.points.rows(repeatElement(0, count: count))
  }
}
