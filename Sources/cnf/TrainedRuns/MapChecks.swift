import ContinuousFlows
import FlowIO

/// Checks of a model as a map: that it is invertible, and that its log-determinants are those of its Jacobian.
struct MapChecks {
  private static let tolerances = [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9]
  /// Below this tolerance, rounding in float is larger than the error that a step may have.
  private static let leastFloatTolerance = 1e-6
  private static let inverseSamples = 100
  /// A Jacobian takes D backward passes.
  private static let jacobianSamples = 8

  let flow: any InvertibleFlow
  let dataset: Dataset
  let settings: Settings

  // MARK: Forth and back

  func inverse() throws -> HeldOutReport {
    let own = try [
      roundTrip(by: settings.evaluationSolverOptions, Float.self, solves ? "the run's own" : Self.text(nil), "float")
    ]
    var table: [RoundTrip] = []
    for tolerance in tolerances {
      guard let tolerance else {
        table.append(try roundTrip(by: settings.evaluationSolverOptions, Double.self, Self.text(nil), "double"))
        continue
      }
      let options = options(tolerance)
      if tolerance >= Self.leastFloatTolerance {
        table.append(try roundTrip(by: options, Float.self, Self.text(tolerance), "float", tolerance))
      }
      table.append(try roundTrip(by: options, Double.self, Self.text(tolerance), "double", tolerance))
    }
    var text = TextTable([
      .words("tolerance"), .words("states"), .numbers("data: x max"), .numbers("rms"), .numbers("log-det max"),
      .numbers("rms"), .numbers("drawn: x max"), .numbers("rms"), .numbers("log-det max"), .numbers("rms"),
      .numbers("evaluations"),
    ])
    for row in own + table { text.append(row.texts) }
    let count = rows(Self.inverseSamples).count
    let failed = (own + table).reduce(0) { $0 + $1.data.failed + $1.drawn.failed }
    return HeldOutReport(
      members: [
        (
          "inverse",
          [
            "samples": .integer(count), "run": own[0].json,
            "table": .array(table.map(\.json)),
          ]
        )
      ],
      lines: ["errors of solving forth and back, \(count) data samples and \(count) drawn samples (\(failed) failed)"]
        + text.lines)
  }

  /// Whether there are steps, which a smaller tolerance makes smaller.
  private var solves: Bool { !(flow is any DiscreteFlow) }

  /// The tolerances of the tables' rows; nil for a map without tolerance.
  private var tolerances: [Double?] { solves ? Self.tolerances : [nil] }

  /// One row: from data to base and back, and from base to data and back.
  private struct RoundTrip {
    let name: String
    let precision: String
    /// Nil: the row does not set it.
    let tolerance: Double?
    let data: InversionError
    let drawn: InversionError

    var texts: [String] {
      let figures = [data, drawn].flatMap {
        [$0.stateMaximum, $0.stateRootMeanSquare, $0.logDeterminantMaximum, $0.logDeterminantRootMeanSquare]
      }
      let evaluations = Format.decimal(data.evaluationsMean, digits: 1)
      return [name, precision] + figures.map(Format.scientific) + [evaluations]
    }

    var json: JSONValue {
      .object(
        MapChecks.members(of: tolerance)
          + [("precision", .string(precision)), ("data", Self.json(data)), ("drawn", Self.json(drawn))])
    }

    private static func json(_ error: InversionError) -> JSONValue {
      [
        "x_max": .number(error.stateMaximum), "x_rms": .number(error.stateRootMeanSquare),
        "log_det_max": .number(error.logDeterminantMaximum),
        "log_det_rms": .number(error.logDeterminantRootMeanSquare),
        "evaluations_mean": .number(error.evaluationsMean), "failed": .integer(error.failed),
      ]
    }
  }

  private func roundTrip<Scalar: FlowScalar>(
    by options: SolverOptions, _ scalar: Scalar.Type, _ name: String, _ precision: String,
    _ tolerance: Double? = nil
  ) throws -> RoundTrip {
    let rows = rows(Self.inverseSamples)
    let context = dataset.context?.rows(rows)
    return RoundTrip(
      name: name, precision: precision, tolerance: tolerance,
      data: try flow.inversionError(
        of: dataset.continuousSamples(seed: settings.seed).rows(rows), options: options,
        backend: settings.backend, seed: settings.seed, identifiers: rows.map { dataset.identifiers[$0] },
        context: context, scalar: scalar),
      drawn: try flow.inversionErrorOfSamples(
        count: rows.count, seed: settings.seed, options: options, backend: settings.backend, context: context,
        scalar: scalar))
  }

  // MARK: Trace and determinant

  func jacobian() throws -> HeldOutReport {
    let method = options(Self.tolerances[0]).method
    guard try !solves || Methods.named(method).hasDiscreteGradient else {
      throw CommandFailure(
        .usage,
        "solver is \(method), which has no discrete gradient to compute a Jacobian by: give another, such as dopri5")
    }
    let rows = rows(Self.jacobianSamples)
    let points = dataset.continuousSamples(seed: settings.seed).rows(rows)
    let differences = try tolerances.map { tolerance in
      try flow.jacobians(
        of: points, options: options(tolerance), backend: settings.backend, seed: settings.seed,
        identifiers: rows.map { dataset.identifiers[$0] }, context: dataset.context?.rows(rows)
      ).largestDifference
    }
    var text = TextTable([.words("tolerance"), .numbers("largest difference of log |det|, nats")])
    for (tolerance, difference) in zip(tolerances, differences) {
      text.append([Self.text(tolerance), Format.scientific(difference)])
    }
    let table = zip(tolerances, differences).map { tolerance, difference -> JSONValue in
      .object(Self.members(of: tolerance) + [("difference_max", .number(difference))])
    }
    return HeldOutReport(
      members: [("jacobian", ["samples": .integer(rows.count), "table": .array(table)])],
      lines: [
        "\(solves ? "integral of the trace" : "log-determinants of the layers") compared with log |det| of the map's Jacobian, "
          + "\(rows.count) samples, in double precision"
      ] + text.lines)
  }

  /// The run's options with another tolerance, with dopri5 in place of a method that cannot choose its steps. Nil: the
  /// run's own tolerance.
  private func options(_ tolerance: Double?) -> SolverOptions {
    var options = settings.evaluationSolverOptions
    guard let tolerance else { return options }
    if (try? Methods.named(options.method).isAdaptive) != true { options.method = "dopri5" }
    options.control = .perSample(rtol: tolerance, atol: tolerance)
    return options
  }

  private static func members(of tolerance: Double?) -> [(key: String, value: JSONValue)] {
    guard let tolerance else { return [] }
    return [("tolerance", .number(tolerance))]
  }

  private func rows(_ most: Int) -> Range<Int> { 0..<min(most, dataset.count) }

  private static func text(_ tolerance: Double?) -> String { tolerance.map(Format.scientific) ?? "none" }
}
